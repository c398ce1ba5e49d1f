import asyncio
import re

import pytest
from aiohttp import ClientResponse
from graphql import ExecutionResult
from structlog.testing import capture_logs

from mainsheet.executor import core_schema, turns
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.schema.api import api
from mainsheet.server.operations import allowance
from mainsheet.server.operations.allowance import Allowance
from mainsheet.server.operations.complexity import Limits
from mainsheet.server.operations.operation_store import OperationStore
from mainsheet.server.operations.prices import price_of, size
from mainsheet.server.settings import Settings
from tests.abuse.wire import OTHER_ADDRESS, ask, post
from tests.server.conftest import MEMBER_ID, Serve, Server
from tests.server.small_api import Context

TWENTY = "{" + "".join(f" h{number}: hello" for number in range(20)) + " }"
LIST_OF_NONE = "{ things(limit: 100) { nodes { name } } }"
LOOK_SECONDS = 0.01


async def codes(response: ClientResponse) -> list[str]:
    return [each["extensions"]["code"] for each in (await response.json()).get("errors", ())]


async def test_responses_have_their_cost_and_the_remaining_budget(serve: Serve) -> None:
    server = await serve(points_per_minute=1000, database_seconds_per_minute=60)

    response = await server.post(TWENTY)

    assert response.headers["X-Mainsheet-Cost"] == "requested=20, actual=20, database=0.000"
    assert response.headers["RateLimit-Policy"] == '"points";q=1000;w=60, "database";q=60;w=60'
    assert re.fullmatch(r'"points";r=98\d;t=[12], "database";r=60;t=0', response.headers["RateLimit"])
    assert "extensions" not in await response.json()


async def test_an_exhausted_budget_is_429_with_retry_after(serve: Serve) -> None:
    server = await serve(points_per_minute=10)

    assert await codes(await server.post(TWENTY)) == []
    refused = await server.post(TWENTY)

    body = await refused.json()
    assert refused.status == 429
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert body["errors"][0]["extensions"] == {
        "code": "RATE_LIMITED",
        "retryAfter": int(refused.headers["Retry-After"]),
    }
    assert body["extensions"]["cost"] == {
        "cost": 20,
        "actual": None,
        "databaseMilliseconds": 0,
        "budget": {
            "points": {"limit": 10, "remaining": 0},
            "databaseSeconds": {"limit": 120, "remaining": 120},
        },
    }
    assert refused.headers["X-Mainsheet-Cost"] == "requested=20, database=0.000"


async def test_the_organization_has_a_budget_too(serve: Serve) -> None:
    server = await serve(points_per_minute=10, organization_limit_factor=1)

    await server.post(TWENTY)
    refused = await server.post()

    assert await codes(refused) == ["RATE_LIMITED"]


async def test_unused_points_are_refunded(serve: Serve) -> None:
    server = await serve(points_per_minute=150)

    answers = [await server.post(LIST_OF_NONE) for _ in range(3)]

    assert [each.headers["X-Mainsheet-Cost"] for each in answers] == ["requested=201, actual=1, database=0.000"] * 3


async def test_an_operation_without_data_is_charged_its_estimate(serve: Serve) -> None:
    server = await serve(points_per_minute=150)

    await server.post(LIST_OF_NONE.replace("{ things", "{ crashHard things", 1))
    refused = await server.post()

    assert await codes(refused) == ["RATE_LIMITED"]


async def test_a_budget_of_0_is_no_limit(serve: Serve) -> None:
    server = await serve(points_per_minute=0, database_seconds_per_minute=0)

    response = await server.post(TWENTY)

    assert response.headers["X-Mainsheet-Cost"] == "requested=20, actual=20, database=0.000"
    assert "RateLimit" not in response.headers


async def test_each_address_without_a_token_has_a_small_budget(serve: Serve) -> None:
    server = await serve(points_per_minute=40, public_introspection=True)
    body = b'{"query": "{ __schema { queryType { name } } }"}'
    with capture_logs() as log:
        responses = [await ask(str(server.url), post(body)) for _ in range(2)]

    assert [each.status for each in responses] == [200, 429]
    assert [each.headers["Ratelimit-Policy"] for each in responses] == ['"points";q=2;w=60'] * 2
    assert responses[1].code == "RATE_LIMITED"
    refused = {"reason": "points", "client": "127.0.0.1"}
    assert [each for each in log if refused.items() <= each.items()]
    assert (await ask(str(server.url), post(body), address=OTHER_ADDRESS)).status == 200
    assert (await server.post()).status == 200


async def test_operations_beyond_the_callers_queue_are_429(serve: Serve) -> None:
    server = await serve(max_operations_per_caller=1, max_queued_per_caller=1)
    running, context = await _running(server, "{ wait }")

    others = [asyncio.create_task(server.post("{ hello }")) for _ in range(2)]
    (refused,), (queued,) = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)

    assert await codes(refused.result()) == ["RATE_LIMITED"]
    assert refused.result().headers["Retry-After"] == "1"
    context.may_end.set()
    assert [(await each).status for each in (running, queued)] == [200, 200]


async def test_waiting_too_long_for_ones_own_operations_is_429(serve: Serve) -> None:
    server = await serve(max_operations_per_caller=1, pool_timeout_seconds=0.05)
    running, context = await _running(server, "{ wait }")

    refused = await server.post()

    assert (refused.status, await codes(refused)) == (429, ["RATE_LIMITED"])
    context.may_end.set()
    await running


async def test_waiting_too_long_for_a_busy_server_is_503(serve: Serve) -> None:
    server = await serve(pool_timeout_seconds=0.05)
    running, context = await _running(server, "{ wait }")

    refused = await server.post()

    assert (refused.status, await codes(refused)) == (503, ["TIMEOUT"])
    assert "Retry-After" in refused.headers
    context.may_end.set()
    await running


async def test_a_queued_mutation_is_dropped_on_disconnect(serve: Serve) -> None:
    server = await serve(max_operations_per_caller=1)
    running, context = await _running(server, "mutation { wait }")

    leaving = asyncio.create_task(server.post("mutation { wait }"))
    left = await server.contexts.get()
    await _until_queued(server, 1)
    leaving.cancel()
    await _until_queued(server, 0)
    context.may_end.set()

    assert (await running).status == 200
    assert await codes(await server.post()) == []
    assert not left.started.is_set()


async def test_a_running_mutation_keeps_its_slot_on_disconnect(serve: Serve) -> None:
    server = await serve(max_operations_per_caller=1, pool_timeout_seconds=0.05)
    running, context = await _running(server, "mutation { wait }")

    running.cancel()
    await context.abandoned.wait()

    assert await codes(await server.post("mutation { wait }")) == ["RATE_LIMITED"]
    await server.contexts.get()  # of the refused one
    context.may_end.set()
    await context.closed.wait()
    again, context = await _running(server, "mutation { wait }")
    context.may_end.set()
    assert await codes(await again) == []


async def test_a_running_query_frees_its_slot_on_disconnect(serve: Serve) -> None:
    server = await serve(max_operations_per_caller=1)
    running, context = await _running(server, "{ wait }")

    running.cancel()
    await context.closed.wait()

    assert await codes(await server.post()) == []


@pytest.mark.parametrize("field", ["hello", "missing"], ids=["valid", "invalid"])
async def test_new_long_documents_are_charged(serve: Serve, field: str) -> None:
    server = await serve(points_per_minute=10_000)
    statuses = []
    for number in range(5):
        document = "{ " + " ".join(f"a{number}x{index}: {field}" for index in range(60)) + " }"
        statuses.append((await server.post(document)).status)

    assert statuses[0] != 429
    assert statuses[-1] == 429


async def test_a_known_document_is_charged_once(serve: Serve) -> None:
    server = await serve(points_per_minute=10_000)
    document = "{ " + " ".join(f"a{index}: hello" for index in range(60)) + " }"

    statuses = [(await server.post(document)).status for _ in range(10)]

    assert set(statuses) == {200}


async def test_refusals_are_counted_and_logged_once_a_minute(serve: Serve) -> None:
    server = await serve(points_per_minute=10)
    await server.post(TWENTY)

    with capture_logs() as logs:
        await asyncio.gather(*[server.post(TWENTY) for _ in range(3)])

    lines = [each for each in logs if each["event"] == "rate limited"]
    assert [(each["reason"], each["actor"]) for each in lines] == [("points", MEMBER_ID)]
    assert 'mainsheet_rate_limited_total{reason="points"} 3.0' in await _metrics(server)


async def _running(server: Server, query: str) -> tuple[asyncio.Task[ClientResponse], Context]:
    task = asyncio.create_task(server.post(query))
    context = await server.contexts.get()
    await context.started.wait()
    return task, context


async def _until_queued(server: Server, length: int) -> None:
    async with asyncio.timeout(10):
        while f"mainsheet_graphql_queue_length {length}.0" not in await _metrics(server):  # noqa: ASYNC110 only the metrics show it
            await asyncio.sleep(LOOK_SECONDS)


async def _metrics(server: Server) -> str:
    return await (await server.http.get("/metrics")).text()


def test_each_of_several_workers_has_its_share() -> None:
    settings = Settings(workers=4, points_per_minute=1000, database_seconds_per_minute=10)
    caller = Caller("MB1", "OR1", OrganizationRole.MEMBER)

    points, seconds = (make(settings, lambda: 0) for make in (Allowance.points, Allowance.database_seconds))

    assert (points.account(caller).left(), seconds.account(caller).left()) == (250, 2.5)


def test_an_organizations_debt_stops_only_its_own_callers() -> None:
    points = Allowance.points(Settings(points_per_minute=100, organization_limit_factor=2), lambda: 0)
    own, colleague, foreign = (
        Caller(member, organization, OrganizationRole.MEMBER)
        for member, organization in (("MB1", "OR1"), ("MB2", "OR1"), ("MB3", "OR2"))
    )

    accounts = [points.account(each) for each in (own, colleague, foreign)]

    accounts[0].charge(300)

    assert [each.left() for each in accounts] == [-200, -100, 100]
    assert [each.retry_after() for each in accounts[:2]] == [120, 30]
    assert [each.header() for each in accounts[1:]] == ['"points";r=0;t=60', '"points";r=100;t=0']


def test_only_the_accounts_of_recent_callers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_KEYS", 2)
    points = Allowance.points(Settings(points_per_minute=100, organization_limit_factor=3), lambda: 0)
    callers = [
        Caller(member, organization, OrganizationRole.MEMBER)
        for member, organization in (("MB1", "OR1"), ("MB2", "OR1"), ("MB3", "OR2"))
    ]

    points.account(callers[0]).charge(300)
    assert [points.account(each).left() for each in callers] == [-200, 0, 100]  # MB1's is forgotten at last
    assert points.account(callers[0]).left() == 0  # its organization's isn't, and MB2's is
    points.account(callers[2])
    points.account(Caller("MB4", "OR2", OrganizationRole.MEMBER))
    assert points.account(callers[0]).left() == 100


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": 1}, 1),
        ({"a": None, "b": {"c": 1}}, 3),
        ({"jobs": {"nodes": [{"name": "x"}, {"name": "y"}]}}, 5),
        ({"jobs": {"nodes": []}}, 1),
        ({"tags": ["a", "b"]}, 2),
        ({"empty": {}, "items": [{}]}, 2),
        ({f"a{number}": {"nodes": [{"b": [1, 2]}] * 100} for number in range(100)}, 100 * 301),
    ],
)
async def test_the_actual_cost_counts_like_the_estimate(data: dict[str, object], expected: int) -> None:
    assert await size(data) == expected


async def test_counting_wide_objects_yields_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)
    wide = {f"a{number}": number for number in range(1_900)}
    data = {"nodes": [dict(wide) for _ in range(50)]}
    running, others = asyncio.create_task(size(data)), 0
    while not running.done():
        await asyncio.sleep(0)
        others += 1

    assert running.result() == 50 * 1_901
    assert others > 10


@pytest.mark.parametrize(
    ("fields", "is_refundable"), [("jobKey", True), ("currentVersion { schedule { nextFireTimes(count: 5) } }", False)]
)
async def test_fields_with_work_are_charged_as_estimated(fields: str, is_refundable: bool) -> None:
    store = OperationStore(core_schema(api), Limits.of(Settings()), capacity=1_000_000)
    text = f"{{ jobs(limit: 10) {{ ...F }} }} fragment F on JobConnection {{ nodes {{ {fields} }} }}"

    price = price_of(await store.get(text), None)

    assert price.is_refundable is is_refundable
    assert await price.actual(ExecutionResult({"jobs": {"nodes": []}})) == (1 if is_refundable else price.estimate)
