"""The log of a server: who did what, what was refused, and what was slow."""

import json
import re
import signal
import subprocess
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
import structlog
from structlog.typing import EventDict
from yarl import URL

from mainsheet.models.access_token import AccessToken, digest
from mainsheet.models.roles import AccessScope
from mainsheet.server.observe.log_fields import LogFields, detached, name_process, with_fields
from mainsheet.server.observe.logs import configure_logging
from testbed.world import World, token
from tests.live.conftest import Live, Start
from tests.observe.conftest import Log, ask
from tests.observe.test_metrics import until
from tests.server.commands import MAINSHEET, clean, mainsheet

TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ME = "query Me { me { actor { displayName } } }"
RENAME = 'mutation Rename { updateOrganization(input: {name: "North"}) { userErrors { code } } }'
PAUSE = 'mutation { updateJob(input: {jobId: "JB1", name: "x"}) { userErrors { code } } }'


async def test_a_request_names_its_actor_token_client_and_costs(live: Live, world: World, log: Log) -> None:
    secret = await token(live.database, world.viewer)

    await ask(live, secret, ME)

    line = log.last("request")
    async with live.database.reads.connect() as connection:
        statement = AccessToken.__table__.select().where(AccessToken.digest == digest(secret))
        row = (await connection.execute(statement)).one()
    assert (line["actor"], line["organization"]) == (world.viewer.id, world.organization.id)
    assert (line["token"], line["client"], line["operation"]) == (row.id, "127.0.0.1", "Me")
    assert line["statements"] == 1
    assert line["ms"] > line["database_ms"] > 0


async def test_a_request_names_its_error_codes(live: Live, world: World, log: Log) -> None:
    await ask(live, world.viewer, "{ nothing other }")
    top_level = log.last("request")
    await ask(live, world.viewer, PAUSE)
    user = log.last("request")

    assert top_level["errors"] == ["GRAPHQL_VALIDATION_FAILED"]
    assert user["user_errors"] == ["JOB_NOT_FOUND"]
    assert user["operation"] == "updateJob"
    assert "errors" not in user


async def test_by_default_only_mutations_and_failures_have_lines(live: Live, world: World, json_log: StringIO) -> None:
    configure_logging("json", "info", json_log)

    await ask(live, world.viewer, ME)
    async with live.http.get("/livez"):
        pass
    await ask(live, world.viewer, "{ nothing }")
    await ask(live, world.admin, RENAME)
    async with live.http.get("/nowhere"):
        pass

    lines = Log(json_log).of("request")
    assert [line.get("operation", line["path"]) for line in lines] == ["/graphql", "Rename", "/nowhere"]
    assert {line["level"] for line in lines} == {"info"}


async def test_a_console_shows_codes_as_they_are_sent(live: Live, world: World, json_log: StringIO) -> None:
    configure_logging("console", "debug", json_log)

    await ask(live, world.viewer, "{ nothing }")

    assert "errors=['GRAPHQL_VALIDATION_FAILED']" in json_log.getvalue()


async def test_a_console_obeys_nothing_that_a_client_sends(live: Live, json_log: StringIO) -> None:
    configure_logging("console", "debug", json_log)

    async with live.http.get(URL("/%1b%5b2J%c2%9b31m%e2%80%ae", encoded=True)):
        pass
    log = structlog.get_logger("mainsheet")
    log.error("odd \x1b[2J", text="\x1b[2J", exc_info=ValueError("\x1b[2J\nsecond line"))

    shown = json_log.getvalue()
    assert r"path=/\x1b[2J\x9b31m\u202e " in shown
    assert "\nsecond line" in shown
    assert all(line.isprintable() for line in shown.split("\n"))


async def test_a_refused_right_has_an_audit_line(live: Live, world: World, log: Log) -> None:
    await ask(live, world.viewer, RENAME)

    (line,) = log.of("right refused")
    assert (line["logger"], line["level"]) == ("mainsheet.audit", "warning")
    assert (line["command"], line["code"], line["actor"]) == ("updateOrganization", "FORBIDDEN", world.viewer.id)
    assert "ADMIN" in line["reason"]
    assert line["client"] == "127.0.0.1"
    assert {"token", "organization", "request_id"} <= line.keys()


async def test_a_missing_scope_has_an_audit_line(live: Live, world: World, log: Log) -> None:
    for scope, query in ((AccessScope.RUNS, ME), (AccessScope.READ, RENAME)):
        await ask(live, await token(live.database, world.admin, scopes=[scope]), query)

    lines = log.of("right refused")
    assert [line["code"] for line in lines] == ["SCOPE_MISSING", "SCOPE_MISSING"]
    assert [line.get("command", line.get("operation")) for line in lines] == ["Me", "updateOrganization"]


async def test_a_refused_token_names_the_client(live: Live, log: Log) -> None:
    await ask(live, "mst_unknown", ME)

    (line,) = log.of("bearer token refused")
    assert line["client"] == "127.0.0.1"
    assert line["request_id"] == log.last("request")["request_id"]


async def test_all_lines_of_a_request_have_its_trace(live: Live, world: World, log: Log) -> None:
    await ask(live, world.viewer, RENAME, {"traceparent": TRACE_PARENT})
    traced = log.lines
    await ask(live, world.viewer, ME, {"traceparent": TRACE_PARENT.replace("4bf92f", "4BF92F")})
    await ask(live, world.viewer, ME)

    assert [line["event"] for line in traced] == ["right refused", "request"]
    assert {line["trace_id"] for line in traced} == {TRACE_PARENT.split("-")[1]}
    assert all("trace_id" not in line for line in log.lines[len(traced) :])


async def test_a_request_knows_nothing_of_the_one_before_it(live: Live, world: World, log: Log) -> None:
    await ask(live, world.viewer, ME)
    async with live.http.get("/livez"):
        pass

    assert {"actor", "organization", "token"}.isdisjoint(log.last("request"))


async def test_odd_texts_of_a_client_make_a_line(live: Live, log: Log) -> None:
    async with live.http.get(URL("/%ff%00%ed%a0%80", encoded=True)):
        pass
    structlog.get_logger("mainsheet").warning("odd", text="\ud800", number=10**30, object=Path("x"))

    assert log.last("request")["status"] == 404
    assert (log.last("odd")["text"], log.last("odd")["number"], log.last("odd")["object"]) == ("\ud800", 10**30, "x")


async def test_a_slow_operation_is_logged_with_its_statements(start: Start, world: World, log: Log) -> None:
    live = await start(slow_operation_seconds=1e-9)

    await ask(live, world.viewer, ME)

    (line,) = log.of("slow operation")
    assert (line["operation"], line["type"], line["statements"]) == ("Me", "query", 1)
    assert line["actor"] == world.viewer.id
    assert [sorted(each) for each in line["slowest"]] == [["ms", "sql"]]
    assert "FROM actor" in line["slowest"][0]["sql"]


async def test_no_operation_is_slow_if_that_is_turned_off(start: Start, world: World, log: Log) -> None:
    live = await start(slow_operation_seconds=0)

    await ask(live, world.viewer, ME)

    assert log.of("slow operation") == []


async def test_operations_of_a_socket_are_logged(live: Live, world: World, log: Log) -> None:
    async with live.socket(world.viewer) as socket:
        for id_, query in (("1", ME), ("2", RENAME)):
            await socket.subscribe(id_, query)
            while (await socket.receive())["type"] != "complete":
                pass

    first, second = log.of("operation")
    assert (first["operation"], first["actor"]) == ("Me", world.viewer.id)
    assert (second["operation"], second["user_errors"]) == ("Rename", ["FORBIDDEN"])
    assert log.last("right refused")["actor"] == world.viewer.id


async def test_events_of_a_shared_subscription_name_its_caller_and_no_token(
    start: Start, world: World, log: Log
) -> None:
    live = await start(slow_operation_seconds=1e-9)
    async with live.socket(world.admin) as first, live.socket(world.admin) as second:
        for socket in (first, second):
            await socket.subscribe("1", "subscription Feed { events { id } }")
        await until(live, 2, "mainsheet_subscriptions")
        await ask(live, world.admin, RENAME)
        await second.receive()

    (line,) = [each for each in log.of("slow operation") if each["operation"] == "Feed"]
    assert (line["actor"], line["organization"]) == (world.admin.id, world.organization.id)
    assert line["request_id"]
    assert {"token", "client", "trace_id"}.isdisjoint(line)


async def test_work_that_outlives_a_request_has_only_the_fields_of_the_process() -> None:
    name_process(worker=1)
    try:
        with LogFields({"request_id": "r", "actor": "a", "token": "t"}):
            task = detached(logged(), "work", "actor", "organization")

        assert await task == {"worker": 1, "actor": "a"}
    finally:
        name_process()


async def logged() -> EventDict:
    return with_fields(None, "info", {})


def test_the_log_of_a_server_has_one_format(database_url: str) -> None:
    environment = clean({"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_LOG_FORMAT": "json"})
    environment["MAINSHEET_LOG_LEVEL"] = "info"
    command = [MAINSHEET, "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        lines = []
        for line in process.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "serving":
                process.send_signal(signal.SIGTERM)
        printed = process.stdout.read() if process.stdout else None

    (start,) = [line for line in lines if line["event"] == "serving"]
    assert printed == ""
    assert process.returncode == 0
    assert [line["event"] for line in lines][-3:] == ["serving", "stopping", "stopped"]
    assert lines[-2]["signal"] == "SIGTERM"
    assert (start["database"], start["workers"]) == (database_url.partition(":")[0], 1)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/graphql", start["url"])
    assert start["version"] == version("mainsheet")


@pytest.mark.parametrize(
    ("arguments", "settings", "reason"),
    [
        ((), {}, "There is no database"),
        (("--demo", "--host", "0.0.0.0"), {}, "loopback only"),
        ((), {"MAINSHEET_WORKER": "2"}, "MAINSHEET_WORKER is no setting"),
        ((), {"MAINSHEET_MAX_DEPTH": "0"}, "MAINSHEET_MAX_DEPTH: "),
        (("--workers", "2"), {}, "SQLite is for one process"),
    ],
)
def test_a_server_that_cant_start_says_so_in_the_logs_format(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], reason: str
) -> None:
    environment = {"MAINSHEET_DATABASE_URL": f"sqlite:///{tmp_path}/none", "MAINSHEET_LOG_FORMAT": "json", **settings}

    result = mainsheet("serve", *arguments, **environment)

    (line,) = map(json.loads, result.stderr.splitlines())
    assert result.returncode == 1
    assert (line["event"], line["level"]) == ("can't serve", "critical")
    assert reason in line["reason"]
