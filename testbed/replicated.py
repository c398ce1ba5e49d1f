"""A primary and its standbys, each on a host of its own. What is acknowledged is on one of the standbys, too."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from testbed.databases import connected, execute, migrated
from testbed.hosts import Host
from testbed.postgres import DURABLE, LISTENING, REPLICATED, Postgres, own_postgres, standby_of

DATABASE = "mainsheet"
PORT = 5432
# So that both ends notice soon that the other one is gone.
IMPATIENT = """
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
"""
ONE_CONFIRMS = "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'"
RECEIVED = "SELECT (pg_last_wal_receive_lsn() - '0/0')::bigint"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60


@dataclass
class Replicated:
    hosts: Sequence[Host]
    servers: dict[Host, Postgres]
    primary: Host
    stack: AsyncExitStack

    @property
    def standbys(self) -> Sequence[Host]:
        return [each for each in self.servers if each != self.primary]

    @property
    def url(self) -> str:
        """The URL with all servers."""
        return self._url(self.hosts)

    @property
    def urls(self) -> Sequence[str]:
        """The URL of each server."""
        return [self._url([each]) for each in self.hosts]

    @property
    def direct_url(self) -> str:
        """The URL of the primary by its socket."""
        return f"postgresql://postgres@/{DATABASE}?host={self.servers[self.primary].folder}"

    def _url(self, hosts: Sequence[Host]) -> str:
        addresses = ",".join(f"{each.address}:{PORT}" for each in hosts)
        return f"postgresql://postgres@{addresses}/{DATABASE}?sslmode=disable"

    async def promote(self) -> None:
        """Promote the standby that received more. The old primary must be cut off."""
        old, standbys = self.primary, self.standbys
        received = [await _fetched(self.servers[each], RECEIVED) for each in standbys]
        self.primary = standbys[received.index(max(received))]
        await asyncio.to_thread(self.servers[self.primary].promote)
        await asyncio.to_thread(self.servers.pop(old).stop, "immediate")
        for each in self.standbys:
            await self._follow(each)

    async def add_standby(self, host: Host) -> None:
        new = standby_of(self.servers[self.primary], host.enter_unprivileged)
        self.servers[host] = await asyncio.to_thread(self.stack.enter_context, new)
        await self._follow(host)
        await self.are_streaming()

    async def are_streaming(self) -> None:
        """Wait until all standbys follow the primary."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _fetched(self.servers[self.primary], STREAMING) < len(self.standbys):  # noqa: ASYNC110 has no event
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self, standby: Host) -> None:
        source = f"host={self.primary.address} user=postgres"
        await configure(self.servers[standby], f"ALTER SYSTEM SET primary_conninfo = '{source}'")


async def configure(server: Postgres, statement: str) -> None:
    await execute(server.url, statement)
    await execute(server.url, "SELECT pg_reload_conf()")


async def _fetched(server: Postgres, query: str) -> int:
    async with connected(server.url) as connection:
        return int(await connection.fetchval(query))


@asynccontextmanager
async def replicated(hosts: Sequence[Host]) -> AsyncIterator[Replicated]:
    """Yield a migrated database, whose primary is on the first host."""
    async with AsyncExitStack() as stack:
        first, *others = hosts
        settings = DURABLE + REPLICATED + LISTENING + IMPATIENT
        primary = await asyncio.to_thread(stack.enter_context, own_postgres(settings, first.enter_unprivileged))
        await execute(primary.url, f"CREATE DATABASE {DATABASE}")
        made = Replicated(hosts, {first: primary}, first, stack)
        await migrated(made.direct_url)
        for each in others:
            await made.add_standby(each)
        for server in made.servers.values():
            await configure(server, ONE_CONFIRMS)
        yield made
