"""A server writes no secret to its log, its metrics and its traces, in a session in which much fails."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import UntrustedDocument
from mainsheet.models.organization import Organization
from mainsheet.models.roles import AccessScope
from mainsheet.models.unavailable import DatabaseDown
from mainsheet.server.observe.logs import MOST_OF_A_CLIENT, MOST_OF_A_REASON, Logs, configure_logging
from mainsheet.server.observe.otel import Traces
from mainsheet.server.observe.redaction import LONGEST, loggable, url_without_secrets, without_secrets
from testbed.world import World, token
from tests.live.conftest import Start
from tests.observe.conftest import ask

VALUE = "sesame-4711"  # is sent as a variable, in a literal, and in headers
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
ISSUE = """
mutation Issue($name: String!) { createAccessToken(input: {name: $name}) { secret userErrors { code } } }
"""
HOOK = """
mutation Hook($url: String!) { createWebhook(input: {url: $url}) { secret userErrors { code } } }
"""
FIND = "query Find($search: String) { jobs(filter: {search: $search}, limit: 1) { nodes { name } } }"
RENAME = """
mutation Rename($name: String!) { updateOrganization(input: {name: $name}) { userErrors { code } } }
"""


@pytest.fixture
def everything(json_log: StringIO) -> Iterator[StringIO]:
    configure_logging("json", "debug", json_log)
    yield json_log
    logging.getLogger("mainsheet").setLevel(logging.NOTSET)


async def test_a_busy_session_writes_no_secret(
    start: Start, world: World, database: Database, everything: StringIO
) -> None:
    live = await start(slow_operation_seconds=1e-9)
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    database.instrumentation.add(Traces(provider))
    admin, viewer = await token(database, world.admin), await token(database, world.viewer)
    runs = await token(database, world.admin, scopes=[AccessScope.RUNS])
    secrets = {VALUE, JWT, admin, viewer, runs}

    issued = await ask(live, admin, ISSUE, name=VALUE)
    hooked = await ask(live, admin, HOOK, url=f"https://hooks.example/?token={VALUE}")
    secrets |= {issued["data"]["createAccessToken"]["secret"], hooked["data"]["createWebhook"]["secret"]}
    for secret in (admin, viewer, runs, f"{admin}x", JWT, VALUE):
        await ask(live, secret, FIND, search=VALUE)
        await ask(live, secret, RENAME, name=VALUE)
        await ask(live, secret, FIND.replace("search: $search", f'search: "{VALUE}"'))
        await ask(live, secret, "{ " + VALUE.replace("-", "_"))
    async with live.http.get(f"/graphql?query={{me{{id}}}}&access_token={admin}") as refused:
        assert refused.status == 401
    async with live.http.get(f"/{admin}", headers={"X-Request-Id": viewer, "Cookie": VALUE}):
        pass
    async with live.socket(world.admin) as socket:
        await socket.subscribe("1", FIND, search=VALUE)
        await socket.receive()
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE organization RENAME COLUMN name TO other"))
    await ask(live, admin, RENAME, name=VALUE)
    async with live.http.get("/metrics") as response:
        metrics = await response.text()

    log, spans = everything.getvalue(), exporter.get_finished_spans()
    traces = "".join(each.to_json() for each in spans)
    assert {"POST /graphql", "query", "mutation", "updateOrganization", "SELECT"} <= {each.name for each in spans}
    for event in (
        "request",
        "operation",
        "slow operation",
        "right refused",
        "bearer token refused",
        "unexpected error",
    ):
        assert f'"event":"{event}"' in log
    assert len(secrets) == 7
    assert {each for each in secrets if each in log + metrics + traces} == set()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Bearer mst_0123456789abcdef", "Bearer mst_***"),
        (f"Bearer {JWT}!", "Bearer eyJ***!"),
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw==", "secret whsec_***"),
        ("postgresql://ada:hunter2@db/x", "postgresql://***@db/x"),
        ("postgresql://ada:hun/ter2@db/x", "postgresql://***@db/x"),
        ("postgresql://us/er:hunter2@db/x", "postgresql://***@db/x"),
        ("postgresql://us?er:hunter2@db/x", "postgresql://***@db/x"),
        ("postgresql://corp#ada:hunter2@db/x", "postgresql://***@db/x"),
        ("http://corp/ada:hunter2@proxy", "http://***@proxy"),
        ("postgresql://ada:1234/5@db/x", "postgresql://***@db/x"),  # not the port 1234
        ("postgresql://hunter2@db/x", "postgresql://***@db/x"),
        ("https://issuer.example/realms/@x", "https://issuer.example/realms/@x"),
        ("the mst_ prefix", "the mst_ prefix"),
    ],
)
def test_secrets_in_texts_are_masked(written: str, shown: str) -> None:
    assert without_secrets(written) == shown
    assert url_without_secrets(written) == shown


def test_a_secret_is_masked_before_a_text_is_cut() -> None:
    secrets = ("mst_" + "s" * 40, JWT, "https://ada:hunter2-hunter2@db/x")
    for secret in secrets:
        for before in range(LONGEST // 2 - len(secret), LONGEST // 2 + 1):
            for written in ("." * before + f" {secret} " + "." * LONGEST, "." * LONGEST + f" {secret} " + "." * before):
                shown = loggable(written)
                assert not any(part in shown for part in ("ssss", "IiOiJ", "hunter")), before
                assert len(shown) <= LONGEST + 1


def test_a_secret_across_the_cut_of_a_reason_or_of_a_clients_name_is_masked(everything: StringIO) -> None:
    failure, url = DatabaseDown(), "postgresql://ada:hunter2-hunter2@db/x"
    for most in (MOST_OF_A_REASON, MOST_OF_A_CLIENT):
        for before in range(most - len(url), most):
            failure.__cause__ = OSError("." * before + url)
            Logs().failed(failure)
            Logs().untrusted(UntrustedDocument("", "", "." * before + url, is_refused=True))

    assert len(everything.getvalue().splitlines()) > len(url)
    assert "hunter" not in everything.getvalue()


async def test_a_traceback_shows_no_values_of_a_row(world: World, database: Database, everything: StringIO) -> None:
    async with database.writes.begin() as connection:
        row = (await connection.execute(select(Organization.__table__))).mappings().first()
        assert row is not None
        with pytest.raises(IntegrityError) as caught:
            async with connection.begin_nested():
                await connection.execute(insert(Organization).values({**row, "name": VALUE}))
    incomplete = {**row, "name": f"{VALUE}\n\n{VALUE}", "events_expired_to": None}
    with pytest.raises(IntegrityError) as null:
        async with database.writes.begin() as connection:
            await connection.execute(insert(Organization).values(incomplete))
    for each in (caught.value, null.value):
        Logs().failed(each)

    log = everything.getvalue()
    assert log.count("INSERT INTO organization") >= 2
    assert VALUE not in log
    assert row["id"] not in log
