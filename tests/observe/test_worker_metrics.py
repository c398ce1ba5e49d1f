"""The metrics of several workers: sums over those that live, and counts of those that were started."""

import asyncio
import os
import signal

import pytest
from aiohttp import ClientError, ClientSession

from tests.observe.test_metrics import Scrape
from tests.server.commands import PATIENCE, serving

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_workers_that_ended_leave_their_counts_and_no_gauges(database_url: str) -> None:
    environment = {"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_POOL_SIZE": "3"}
    with serving("--workers", "2", environment=environment) as server:
        url = server.url.removesuffix("/graphql")
        async with ClientSession(url) as http:
            first = await until(http, processes=2, start=2)
            os.kill(server.process.pid, signal.SIGHUP)
            await until(http, processes=2, start=2, reload=2)
            async with http.get("/livez") as response:
                os.kill((await response.json())["pid"], signal.SIGKILL)
            last = await until(http, processes=2, start=2, reload=2, replacement=1)
        assert server.stop() == 0

    for metrics in (first, last):
        assert metrics("mainsheet_pool_size", pool="read") == 4
        assert (metrics("mainsheet_resident_memory_bytes") or 0) > 0


async def until(http: ClientSession, processes: int, **starts: int) -> Scrape:
    """Scrape, each time on a new connection, until there are so many processes and starts."""
    expected = {"start": 0, "reload": 0, "replacement": 0} | starts
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with http.get("/metrics", headers={"Connection": "close"}) as response:
                    metrics = Scrape(await response.text())
            except ClientError:  # the worker was killed
                continue
            found = {reason: metrics("mainsheet_process_starts_total", reason=reason) for reason in expected}
            if metrics("mainsheet_processes") == processes and found == expected:
                return metrics
