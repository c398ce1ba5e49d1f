"""Servers behind nginx are restarted one after the other under load, and no request fails."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from testbed.proxies import balancer, free_port
from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.server import Proxied, serving

SERVERS = 2
DRAIN_SECONDS = 3  # as deploy/nginx.conf says
READ_SECONDS = 40


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite there is one server
async def test_no_request_fails_while_servers_behind_nginx_are_restarted(
    database_url: str, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    ports = [free_port() for _ in range(SERVERS)]
    async with AsyncExitStack() as stack:
        crowd = await stack.enter_async_context(crowd_at(database_url))
        contexts = [
            serving(database_url, tmp_path / f"log{port}", "--port", str(port), drain_seconds=DRAIN_SECONDS)
            for port in ports
        ]
        servers = await asyncio.gather(*map(stack.enter_async_context, contexts))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mainsheet-proxy-")))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        url = stack.enter_context(balancer(folder, f"127.0.0.1:{free_port()}", addresses, READ_SECONDS))
        async with crowd.at_work(Proxied(url)):
            async for _ in crowd.rounds(scale):
                for each in servers:
                    assert await each.stop() == 0
                    await crowd.changes(scale.changes)
                    await each.start()

    await verdict("server behind nginx drained and restarted", database_url, crowd, SERVERS * scale.times, set())
