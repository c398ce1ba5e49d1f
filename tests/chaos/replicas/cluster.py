"""A primary with two synchronous standbys, each behind a proxy. Any of the standbys can become the primary."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url

from testbed.databases import connected, execute, migrated
from testbed.postgres import DURABLE, REPLICATED, Postgres, own_postgres, standby_of
from tests.chaos.outside import Outside
from tests.chaos.proxy import Proxy, proxy_to

DATABASE = "mainsheet"
ADDRESS = "127.0.0.1"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
RECEIVED = "SELECT (pg_last_wal_receive_lsn() - '0/0')::bigint"
# What is acknowledged is on one of the standbys, and the one that received more has everything.
ONE_CONFIRMS = "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'"


@dataclass
class Cluster:
    primary: Postgres
    standbys: list[Postgres]
    proxies: dict[Postgres, Proxy]

    @property
    def urls(self) -> Sequence[str]:
        """The URL of each server."""
        return [f"postgresql://postgres@{ADDRESS}:{each.port}/{DATABASE}?sslmode=disable" for each in self._proxies]

    @property
    def url(self) -> str:
        """The URL with all servers."""
        hosts = ",".join(f"{ADDRESS}:{each.port}" for each in self._proxies)
        return f"postgresql://postgres@{hosts}/{DATABASE}?sslmode=disable"

    @property
    def direct_url(self) -> str:
        """The URL of the primary without a proxy."""
        return make_url(self.primary.url).set(database=DATABASE).render_as_string(hide_password=False)

    @property
    def _proxies(self) -> Sequence[Proxy]:
        return list(self.proxies.values())

    async def streams(self, standbys: int) -> None:
        """Wait until this many standbys follow the primary."""
        async with connected(self.primary.url) as connection:
            await Outside(connection, connection).sees(STREAMING, standbys)

    async def configure(self, server: Postgres, statement: str) -> None:
        await execute(server.url, statement)
        await execute(server.url, "SELECT pg_reload_conf()")

    async def fail_over(self) -> None:
        """Let the primary die, promote the standby that received more, and let the other one follow it."""
        await asyncio.to_thread(self.primary.stop, "immediate")
        received = [await _received(each) for each in self.standbys]
        self.primary = self.standbys.pop(received.index(max(received)))
        await asyncio.to_thread(self.primary.promote)
        for each in self.standbys:
            await self.configure(
                each, f"ALTER SYSTEM SET primary_conninfo = 'host={self.primary.folder} user=postgres'"
            )
        await self.streams(len(self.standbys))


async def _received(server: Postgres) -> int:
    async with connected(server.url) as connection:
        return int(await connection.fetchval(RECEIVED))


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Yield a cluster with a migrated database."""
    async with AsyncExitStack() as stack:
        primary = await asyncio.to_thread(stack.enter_context, own_postgres(DURABLE + REPLICATED))
        await execute(primary.url, f"CREATE DATABASE {DATABASE}")
        made = Cluster(primary, [], {})
        await migrated(made.direct_url)
        made.standbys = [await asyncio.to_thread(stack.enter_context, standby_of(primary)) for _ in range(2)]
        await made.streams(len(made.standbys))
        for each in (primary, *made.standbys):
            made.proxies[each] = await stack.enter_async_context(proxy_to(each.socket, ADDRESS))
            await made.configure(each, ONE_CONFIRMS)
        yield made
