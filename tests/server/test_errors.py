import json
import logging
from io import StringIO
from typing import Any

import pytest
import structlog

from mainsheet.models.database import Database
from mainsheet.server.observe.logs import configure_logging
from tests.server.commands import expect_no_traceback
from tests.server.conftest import MEMBER_ID, Serve, Server
from tests.server.small_api import SECRET


def _lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("query", ["{ crash }", "{ crashHard }"])
async def test_unexpected_errors_are_masked_and_logged(server: Server, json_log: StringIO, query: str) -> None:
    response = await server.post(query)

    text = await response.text()
    (error,) = json.loads(text)["errors"]
    (line,) = [line for line in _lines(json_log) if line["event"] == "unexpected error"]
    assert SECRET not in text
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["path"] == [query.strip("{} ")]
    assert error["extensions"]["requestId"] == line["request_id"] == response.headers["X-Request-Id"]
    assert f"RuntimeError: {SECRET}" in line["exception"]


async def test_unexpected_errors_outside_of_graphql_are_masked(
    server: Server, small_database: Any, json_log: StringIO
) -> None:
    async with small_database.writes.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE access_token")

    response = await server.post()

    (error,) = (await response.json())["errors"]
    (line,) = [line for line in _lines(json_log) if line["event"] == "unexpected error"]
    assert response.status == 500
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": line["request_id"]}
    assert "access_token" not in await response.text()


@pytest.mark.parametrize(
    ("query", "message", "code"),
    [
        ("{ bad }", "limit is 0 to 100", "BAD_USER_INPUT"),
        ("{ forbidden }", "not yours", "FORBIDDEN"),
        ("{ unheard }", "Cannot query field 'unheard' on type 'Query'.", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "Syntax Error: Expected Name, found <EOF>.", "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_client_errors_are_shown_without_a_traceback(
    server: Server, json_log: StringIO, query: str, message: str, code: str
) -> None:
    response = await server.post(query)

    (error,) = (await response.json())["errors"]
    err = json_log.getvalue()
    assert (error["message"], error["extensions"]["code"]) == (message, code)
    expect_no_traceback(err)
    assert len(err.splitlines()) == 1


async def test_each_request_has_one_line_without_its_token(server: Server, json_log: StringIO) -> None:
    response = await server.post("query Greeting { hello }")

    err = json_log.getvalue()
    (line,) = _lines(json_log)
    assert {name: line[name] for name in ("method", "path", "status", "operation", "actor")} == {
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation": "Greeting",
        "actor": MEMBER_ID,
    }
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert line["ms"] > 0
    assert server.token not in err


async def test_client_texts_are_shortened_in_the_log(server: Server, json_log: StringIO) -> None:
    name = "A" * 500_000

    for query in (f"query {name} {{ hello }}", f"{{ {name}: crash }}"):
        await (await server.post(query)).read()

    assert len([line for line in _lines(json_log) if line["event"] == "request"]) == 2
    assert max(len(str(line.get(each))) for line in _lines(json_log) for each in ("operation", "path")) < 2_000
    assert max(map(len, json_log.getvalue().splitlines())) < 50_000


async def test_libraries_log_no_values_at_debug(server: Server, json_log: StringIO) -> None:
    configure_logging("json", "debug", json_log)

    await server.post()

    assert {line["logger"] for line in _lines(json_log)} == {"mainsheet.requests"}
    assert MEMBER_ID not in json_log.getvalue().replace(f'"actor":"{MEMBER_ID}"', "")


def test_the_log_hides_secrets_of_urls(json_log: StringIO) -> None:
    log = structlog.stdlib.get_logger("mainsheet")
    error = ValueError("https://ada:hunter2@issuer.example/keys")
    log.error("failed", reason=str(error), urls=["postgresql://x?password=hunter2"], exc_info=error)
    logging.getLogger("aiohttp.client").warning("Can't read %s", "https://ada:hunter2@issuer.example")

    assert "hunter2" not in json_log.getvalue()
    assert json_log.getvalue().count("***") == 4


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("0123-trace_id.A", True), ("short", False), ("x" * 65, False), ("a b c d e f", False)]
)
async def test_a_sensible_request_id_is_kept(server: Server, sent: str, is_kept: bool) -> None:
    response = await server.http.get("/livez", headers={"X-Request-Id": sent})

    assert (response.headers["X-Request-Id"] == sent) is is_kept


async def test_lines_of_the_console_show_no_local_variables(server: Server, json_log: StringIO) -> None:
    configure_logging("console", "info", json_log)

    await server.post("{ crash }")

    err = json_log.getvalue()
    assert SECRET in err
    assert "locals" not in err
    assert server.token not in err


async def test_metrics_count_requests_and_errors(server: Server) -> None:
    await server.post("{ bad }")

    text = await (await server.http.get("/metrics")).text()

    route = 'method="POST",route="/graphql",status="200"'
    assert f"mainsheet_http_request_seconds_count{{{route}}} 1.0" in text
    assert 'mainsheet_graphql_errors_total{code="BAD_USER_INPUT"} 1.0' in text


async def test_metrics_count_only_the_errors_that_were_sent(serve: Serve) -> None:
    server = await serve(max_answer_bytes=1024)
    large = "{ " + " ".join(f"a{number}: bad" for number in range(20)) + " }"

    codes = [each["extensions"]["code"] for each in (await (await server.post(large)).json())["errors"]]

    text = await (await server.http.get("/metrics")).text()
    assert codes == ["QUERY_TOO_COMPLEX"]
    assert 'mainsheet_graphql_errors_total{code="QUERY_TOO_COMPLEX"} 1.0' in text
    assert 'mainsheet_graphql_errors_total{code="BAD_USER_INPUT"}' not in text


async def test_metrics_time_the_preparation_of_a_repeated_operation_once(server: Server) -> None:
    for _ in range(2):
        await server.post("{ hello }")

    text = await (await server.http.get("/metrics")).text()
    assert "mainsheet_graphql_prepare_seconds_count 1.0" in text
    assert 'mainsheet_graphql_operations_total{executed="compiled"} 2.0' in text


async def test_a_stopped_application_receives_no_events(serve: Serve, small_database: Database) -> None:
    server = await serve()
    assert len(small_database.instrumentation.shared) == 3

    await server.stop()

    assert list(small_database.instrumentation.shared) == []
