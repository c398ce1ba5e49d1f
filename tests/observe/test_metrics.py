"""The metrics of a server, as Prometheus reads them."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientConnectionError, web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Delivery, Instrumentation, OperationRecord
from mainsheet.server.live.sse import EventStream
from mainsheet.server.live.websocket import WebSocketEndpoint
from mainsheet.server.observe import metrics as module
from mainsheet.server.observe.metrics import MOST_NAMES, Metrics, outcome_of
from testbed.world import World, token
from tests.live.conftest import PATIENCE, Live, Start
from tests.observe.conftest import ask

ME = "query Me { me { actor { displayName } } }"
RENAME = 'mutation Rename { updateOrganization(input: {name: "North"}) { userErrors { code } } }'
FEED = "subscription Feed { events { id } }"


class Scrape:
    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self._values.get((name, frozenset(labels.items())))


async def scrape(live: Live) -> Scrape:
    async with live.http.get("/metrics") as response:
        return Scrape(await response.text())


async def until(live: Live, value: float, name: str, **labels: str) -> Scrape:
    """Scrape until a metric has this value."""
    async with asyncio.timeout(PATIENCE):
        while (metrics := await scrape(live))(name, **labels) != value:
            pass
    return metrics


async def test_scrapes_at_the_same_time_share_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, request, readings = Metrics(), make_mocked_request("GET", "/metrics"), []

    def noted(registry: CollectorRegistry) -> bytes:
        readings.append(registry)
        return generate_latest(registry)

    monkeypatch.setattr(module, "generate_latest", noted)
    responses = await asyncio.gather(*(metrics.answer(request) for _ in range(20)))
    assert len(readings) == 1
    assert {each.status for each in responses} == {200}

    await metrics.answer(request)
    assert len(readings) == 2


async def test_clients_without_a_token_choose_no_names(start: Start) -> None:
    live = await start(public_introspection=True)

    async with live.http.post("/graphql", json={"query": "query Chosen { __typename }"}) as response:
        assert response.status == 200

    metrics = await scrape(live)
    name = "mainsheet_operation_seconds_count"
    assert metrics(name, operation="Chosen", type="query", outcome="ok") is None
    assert metrics(name, operation="anonymous", type="query", outcome="ok") == 1


async def test_operations_are_counted_by_name_and_outcome(live: Live, world: World) -> None:
    secret = await token(live.database, world.viewer)
    for query in (ME, ME, RENAME, "query Bad { jobs(first: -1) { nodes { id } } }", "{ me { id } }"):
        await ask(live, secret, query)

    metrics = await scrape(live)
    name = "mainsheet_operation_seconds_count"
    assert metrics(name, operation="Me", type="query", outcome="ok") == 2
    assert metrics(name, operation="Rename", type="mutation", outcome="user_error") == 1
    assert metrics(name, operation="Bad", type="query", outcome="client_error") == 1
    assert metrics(name, operation="anonymous", type="query", outcome="ok") == 1


async def test_commands_and_their_user_errors_are_counted(live: Live, world: World) -> None:
    await ask(live, world.viewer, RENAME)
    await ask(live, world.admin, RENAME)

    metrics = await scrape(live)
    assert metrics("mainsheet_user_errors_total", command="updateOrganization", code="FORBIDDEN") == 1
    for outcome in ("refused", "done"):
        assert metrics("mainsheet_command_seconds_count", command="updateOrganization", outcome=outcome) == 1


async def test_statements_and_the_operation_cache_are_measured(live: Live, world: World) -> None:
    before = await scrape(live)
    await ask(live, world.viewer, ME)
    after = await scrape(live)

    statements = "mainsheet_statement_seconds_count"
    assert (after(statements) or 0) >= (before(statements) or 0) + 2  # one for the token, one for the actor
    assert after("mainsheet_operation_cache_operations") == 1
    assert (after("mainsheet_operation_cache_bytes") or 0) > 0


async def test_pools_connections_and_requests_are_measured(live: Live, database: Database) -> None:
    held = await database.read_pool.take()
    async with database.writes.connect():
        for pool in ("read", "write"):  # the server, which prunes at its start, may use one, too
            metrics = await until(live, 1, "mainsheet_pool_used", pool=pool)
    await database.read_pool.give_back(held)

    for pool in ("read", "write"):
        await until(live, 0, "mainsheet_pool_used", pool=pool)
    assert metrics("mainsheet_pool_size", pool="read") == database.read_pool.size
    assert metrics("mainsheet_pool_size", pool="write") == database.writers
    assert metrics("mainsheet_connections") == metrics("mainsheet_running_requests") == 1


async def test_reads_that_wait_for_a_connection_are_measured(live: Live, database: Database) -> None:
    pool = database.read_pool
    held = [await pool.take() for _ in range(pool.size)]
    waiting = asyncio.create_task(pool.take())
    await until(live, 1, "mainsheet_pool_waiting")
    await pool.give_back(held.pop())
    held.append(await waiting)
    after = await scrape(live)
    for each in held:
        await pool.give_back(each)

    assert after("mainsheet_pool_waiting") == 0
    assert after("mainsheet_pool_wait_seconds_count") == 1


async def test_subscriptions_and_their_errors_are_counted(live: Live, world: World) -> None:
    async with live.socket(world.admin) as socket, live.socket(world.admin) as other:
        for each in (socket, other):
            await each.subscribe("1", FEED)
        await socket.subscribe("2", "{ nothing }")
        assert (await socket.receive())["type"] == "error"
        open_ = await until(live, 2, "mainsheet_subscriptions")
        await ask(live, world.admin, RENAME)
        await socket.receive()
        delivered = await scrape(live)
    await until(live, 0, "mainsheet_subscriptions")

    assert open_("mainsheet_graphql_errors_total", code="GRAPHQL_VALIDATION_FAILED") == 1
    assert delivered("mainsheet_operation_seconds_count", operation="Feed", type="subscription", outcome="ok") == 1
    assert delivered("mainsheet_stream_messages_total") == 2  # the error, and one result for both


async def test_streams_are_no_slow_requests(live: Live, world: World) -> None:
    async with live.socket(world.admin), live.stream(world.admin, ME) as events:
        assert [name async for name, _ in events] == ["next", "complete"]

    metrics = await scrape(live)
    for method, status in (("GET", "101"), ("POST", "200"), ("GET", "499"), ("POST", "499")):
        counted = metrics("mainsheet_http_request_seconds_count", method=method, route="/graphql", status=status)
        assert counted is None


async def test_the_build_is_named(live: Live, database: Database) -> None:
    async with live.http.get("/metrics") as response:
        text = await response.text()

    kind = "sqlite" if database.is_sqlite else "postgresql"
    assert re.search(rf'mainsheet_build_info{{database="{kind}",python="3\.\d+\.\d+",version="[^"]+"}} 1.0', text)
    assert "_created" not in text


def test_the_names_of_operations_are_bounded() -> None:
    metrics = Metrics()
    for number in range(MOST_NAMES + 10):
        metrics.operated(OperationRecord("", f"Name{number}", "query"))
    metrics.operated(OperationRecord("", "Name0", "query"))
    metrics.operated(OperationRecord("", "x" * 5_000, "query"))

    (family,) = [each for each in metrics.registry.collect() if each.name == "mainsheet_operation_seconds"]
    counts = Counter({each.labels["operation"]: each.value for each in family.samples if each.name.endswith("_count")})
    assert len(counts) == MOST_NAMES + 1
    assert counts["other"] == 11
    assert counts["Name0"] == 2


@pytest.mark.parametrize(
    ("codes", "user_errors", "outcome"),
    [
        ([], [], "ok"),
        ([], ["FORBIDDEN"], "user_error"),
        (["BAD_USER_INPUT"], ["FORBIDDEN"], "client_error"),
        (["BAD_USER_INPUT", "INTERNAL_SERVER_ERROR"], [], "server_error"),
        (["TIMEOUT"], [], "server_error"),
        (["CLIENT_LEFT"], [], "client_left"),
    ],
)
def test_the_outcome_is_the_worst_error(codes: list[str], user_errors: list[str], outcome: str) -> None:
    record = OperationRecord("", "", "query", error_codes=codes, user_errors=dict.fromkeys(user_errors))

    assert outcome_of(record) == outcome


async def test_a_client_that_left_is_no_failure(start: Start, world: World, database: Database) -> None:
    live = await start(token_cache_seconds=60)
    secret = await token(database, world.viewer)
    await ask(live, secret, "query First { __typename }")  # so that the token isn't looked up again
    held = [await database.read_pool.take() for _ in range(database.read_pool.size)]
    asking = asyncio.create_task(ask(live, secret, ME))
    await until(live, 1, "mainsheet_pool_waiting")
    asking.cancel()
    await asyncio.wait([asking])
    metrics = await until(
        live, 1, "mainsheet_http_request_seconds_count", method="POST", route="/graphql", status="499"
    )
    for each in held:
        await database.read_pool.give_back(each)

    operation = {"operation": "Me", "type": "query"}
    assert metrics("mainsheet_operation_seconds_count", **operation, outcome="client_left") == 1
    assert metrics("mainsheet_operation_seconds_count", **operation, outcome="server_error") is None


class Delivered(Instrumentation):
    def __init__(self) -> None:
        self.statuses: asyncio.Queue[int] = asyncio.Queue()

    def delivered(self, delivery: Delivery) -> None:
        self.statuses.put_nowait(delivery.status)


@pytest.mark.parametrize(
    ("endpoint", "begin"),
    [(EventStream, lambda live, member: live.stream(member, FEED)), (WebSocketEndpoint, Live.socket)],
    ids=["sse", "websocket"],
)
async def test_a_client_that_leaves_before_its_stream_begins_is_no_failure(
    live: Live, world: World, monkeypatch: pytest.MonkeyPatch, endpoint: Any, begin: Callable[..., Any]
) -> None:
    live.database.instrumentation.add(delivered := Delivered())
    answer = endpoint.answer

    async def answer_too_late(own: Any, request: web.Request, *arguments: Any) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()  # as it does for a client that left, an iteration before the request is cancelled
        response: web.StreamResponse = await answer(own, request, *arguments)
        return response

    monkeypatch.setattr(endpoint, "answer", answer_too_late)
    with pytest.raises(ClientConnectionError):
        await begin(live, world.viewer).__aenter__()

    async with asyncio.timeout(PATIENCE):
        assert await delivered.statuses.get() == 499
    assert (await scrape(live))("mainsheet_unexpected_errors_total") == 0
