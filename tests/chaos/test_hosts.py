"""Hosts are cut off: a server's behind nginx, a replica's, and the primary's, until a replica is promoted."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from testbed.databases import opened
from testbed.hosts import Host, hosts
from testbed.proxies import balancer
from testbed.replicated import Replicated, replicated
from tests.chaos.conftest import Verdict, is_full
from tests.chaos.crowd import Crowd, Scale, crowd_at
from tests.chaos.ledger import Result
from tests.chaos.server import Proxied, Server, serving_by
from tests.server.commands import MAINSHEET

FEW = 4  # changes of the short form
COUNT = 2 if is_full() else 1  # of the servers' hosts and of the replicas' that are cut off
PORT = 8000
READ_SECONDS = 4  # of nginx
IMPATIENT = {"request_timeout_seconds": 2, "statement_timeout_seconds": 2, "pool_timeout_seconds": 1}
UNLIMITED = {"points_per_minute": 0, "database_seconds_per_minute": 0}
MAY_FAIL = {Result.UNAVAILABLE, Result.UNSURE}


@dataclass
class Scene:
    databases: Replicated
    hosts_of_servers: list[Host]
    crowd: Crowd

    async def cut_off_server(self) -> None:
        for each in self.hosts_of_servers[:COUNT]:
            await self._cut_off(each, self.crowd.recovered)

    async def cut_off_replica(self) -> None:
        for each in self.databases.standbys[:COUNT]:
            await self._cut_off(each, self.crowd.recovered)
            await self.databases.are_streaming()

    async def cut_off_primary(self) -> None:
        old = self.databases.primary

        async def promoted() -> None:
            await self.crowd.failures(FEW)
            await self.databases.promote()
            await self.crowd.recovered()

        await self._cut_off(old, promoted)
        await self.databases.add_standby(old)

    async def _cut_off(self, host: Host, meanwhile: Callable[[], Awaitable[None]]) -> None:
        host.cut_off()
        try:
            await meanwhile()
        finally:
            host.join()


FAULTS = {
    "server's host behind nginx cut off": (Scene.cut_off_server, COUNT),
    "replica's host cut off": (Scene.cut_off_replica, COUNT),
    "primary's host cut off, a replica promoted": (Scene.cut_off_primary, 1),
}


async def test_hosts_are_cut_off(tmp_path: Path, scale: Scale, verdict: Verdict) -> None:
    scale = scale if is_full() else replace(scale, changes=FEW)
    async with AsyncExitStack() as stack:
        one, two, proxy, *others = stack.enter_context(hosts(6))
        databases = await stack.enter_async_context(replicated(others))
        crowd = await stack.enter_async_context(crowd_at(databases.direct_url))
        contexts = [served(each, databases, tmp_path) for each in (one, two)]
        await asyncio.gather(*map(stack.enter_async_context, contexts))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mainsheet-proxy-")))
        servers = [f"{each.address}:{PORT}" for each in (one, two)]
        address, enter = f"{proxy.address}:{PORT}", proxy.enter_unprivileged
        url = stack.enter_context(balancer(folder, address, servers, READ_SECONDS, enter))
        scene = Scene(databases, [one, two], crowd)

        async with opened(databases.url) as database, database.writes.connect() as connection:
            assert await connection.scalar(text("SHOW tcp_user_timeout")) == "25000"  # releases locks of a host cut off
        for name, (inject, count) in FAULTS.items():
            async with crowd.at_work(Proxied(url)):
                async for _ in crowd.rounds(scale):
                    await inject(scene)
            await verdict(name, databases.direct_url, crowd, count * scale.times, MAY_FAIL)


@asynccontextmanager
async def served(host: Host, databases: Replicated, folder: Path) -> AsyncIterator[Server]:
    """Serve the databases on a host."""
    async with serving_by(
        (*host.enter, MAINSHEET),
        databases.url,
        folder / f"log.{host.address}",
        *("--host", host.address, "--port", str(PORT)),
        replica_urls=",".join(databases.urls),
        **IMPATIENT,
        **UNLIMITED,
    ) as server:
        yield server
