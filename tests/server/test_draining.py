"""A process that stops answers for a while, but isn't ready; and the port of its health checks."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager

import pytest
from aiohttp import ClientSession

from mainsheet.server.app import ADMIN_CONNECTIONS
from tests.abuse.wire import connected, post
from tests.server.commands import PATIENCE, Serving, serving

READY, STOPPING = (200, None), (503, "The process is stopping.")


async def readiness(http: ClientSession, server: Serving) -> tuple[int, str | None]:
    async with http.get(f"{server.admin_url}/readyz") as response:
        return response.status, (await response.json()).get("reason")


@contextmanager
def stopping(environment: Mapping[str, str], *arguments: str) -> Iterator[Serving]:
    more = {"MAINSHEET_ADMIN_PORT": "0", "MAINSHEET_DRAIN_SECONDS": str(PATIENCE), **environment}
    with serving(*arguments, environment=more) as server:
        yield server


async def withdrawn(http: ClientSession, server: Serving) -> None:
    """Send SIGTERM, and wait until the server isn't ready."""
    server.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        while await readiness(http, server) != STOPPING:
            pass


async def unreachable(url: str) -> None:
    """Wait until the server accepts no connection."""
    async with asyncio.timeout(PATIENCE):
        while await accepts(url):
            pass


async def accepts(url: str) -> bool:
    try:
        async with connected(url):
            return True
    except ConnectionError:
        return False


@contextmanager
def handling(number: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    """Let programs that start inside this context begin with this handler of the signal."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


async def test_a_stopping_process_answers_but_is_not_ready(database_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": database_url}) as server:
        async with ClientSession() as http:
            assert await readiness(http, server) == READY
            await withdrawn(http, server)

            assert (await http.get(server.url, params={"query": "{ __typename }"})).status == 401

        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == -signal.SIGTERM  # it doesn't wait any longer


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_workers_answer_while_they_drain(database_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": database_url}, "--workers", "2") as server:
        async with ClientSession() as http:
            await withdrawn(http, server)

            assert (await http.get(server.url, params={"query": "{ __typename }"})).status == 401


async def test_ctrl_c_does_not_wait(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "3600"}) as server:
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(PATIENCE) == 0


async def test_a_process_without_workers_finishes_its_requests_and_stops_by_sighup(sqlite_url: str) -> None:
    request = post(b'{"query": "{ me { actor { id } } }"}', "{token}")
    environment = {"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "3600"}
    with handling(signal.SIGHUP, signal.SIG_DFL), stopping(environment, "--demo") as server:
        head, _, body = request.replace(b"{token}", next(iter(server.tokens.values())).encode()).partition(b"\r\n\r\n")
        async with connected(server.url) as connection, ClientSession() as http:
            await connection.send(head + b"\r\n\r\n")
            assert await readiness(http, server) == READY
            server.process.send_signal(signal.SIGHUP)
            await unreachable(server.url)
            await connection.send(body)

            assert (await connection.response()).status == 200

        assert server.process.wait(PATIENCE) == 128 + signal.SIGHUP


async def test_a_process_that_ignores_sighup_goes_on(sqlite_url: str) -> None:
    """As after `nohup`: signals that are ignored stay so in a new program."""
    environment = {"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "0"}
    with handling(signal.SIGHUP, signal.SIG_IGN), stopping(environment) as server:
        server.process.send_signal(signal.SIGHUP)

        async with ClientSession() as http:
            assert await readiness(http, server) == READY
        assert server.stop() == 0


async def test_a_drained_process_stops(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_DRAIN_SECONDS": "0.1"}) as server:
        assert server.stop() == 0


async def test_the_admin_port_has_the_health_checks_and_metrics_alone(sqlite_url: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url}) as server:
        async with ClientSession() as http:
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await http.get(f"{server.admin_url}{path}")).status == 200
                assert (await http.get(server.url.replace("/graphql", path))).status == 404
            assert (await http.get(f"{server.admin_url}/graphql")).status == 404


@pytest.mark.parametrize("request_line", ["GET /livez HTTP/1.1", "GET /nothing HTTP/1.1", "no HTTP"])
async def test_responses_of_the_admin_port_name_no_versions(sqlite_url: str, request_line: str) -> None:
    with stopping({"MAINSHEET_DATABASE_URL": sqlite_url}) as server:
        async with connected(server.admin_url) as connection:
            await connection.send(f"{request_line}\r\nHost: x\r\n\r\n".encode())
            headers = (await connection.response()).headers

    assert (headers["Server"], headers["X-Content-Type-Options"]) == ("mainsheet", "nosniff")


async def test_unfinished_requests_on_the_admin_port_are_cut_off(sqlite_url: str) -> None:
    environment = {"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_HEADER_TIMEOUT_SECONDS": "0.1"}
    with stopping(environment) as server:
        async with connected(server.admin_url) as connection:
            await connection.send(b"GET /livez HTTP/1.1\r\n")

            assert await connection.ended() == b""


async def test_the_admin_port_has_a_limit_of_connections_of_its_own(sqlite_url: str) -> None:
    environment = {"MAINSHEET_DATABASE_URL": sqlite_url, "MAINSHEET_MAX_CONNECTIONS": "1"}
    with stopping(environment) as server:
        async with AsyncExitStack() as stack:
            for _ in range(ADMIN_CONNECTIONS):
                await stack.enter_async_context(connected(server.admin_url))
            async with connected(server.admin_url) as connection:
                assert (await connection.response()).status == 503
            async with connected(server.url) as connection:
                await connection.send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await connection.response()).status == 404
