"""A primary with two synchronous standbys, each behind a proxy. Any of the standbys can become the primary."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from testbed.databases import connected
from testbed.postgres import Postgres, standby_of
from tests.chaos.proxy import Proxy, proxy_to
from tests.chaos.standbys import are_streaming, configure, direct_url, let_follow, migrated_primary, url_of_hosts

ADDRESS = "127.0.0.1"
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
        return [url_of_hosts(ADDRESS, [each.port]) for each in self.proxies.values()]

    @property
    def url(self) -> str:
        """The URL with all servers."""
        return url_of_hosts(ADDRESS, [each.port for each in self.proxies.values()])

    @property
    def direct_url(self) -> str:
        """The URL of the primary without a proxy."""
        return direct_url(self.primary)

    async def fail_over(self) -> None:
        """Let the primary die, promote the standby that received more, and let the other one follow it."""
        await asyncio.to_thread(self.primary.stop, "immediate")
        received = [await _received(each) for each in self.standbys]
        self.primary = self.standbys.pop(received.index(max(received)))
        await asyncio.to_thread(self.primary.promote)
        for each in self.standbys:
            await let_follow(each, self.primary)
        await are_streaming(self.primary, len(self.standbys))


async def _received(server: Postgres) -> int:
    async with connected(server.url) as connection:
        return int(await connection.fetchval(RECEIVED))


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Yield a cluster with a migrated database."""
    async with AsyncExitStack() as stack:
        primary = await migrated_primary(stack)
        made = Cluster(primary, [], {})
        made.standbys = [await asyncio.to_thread(stack.enter_context, standby_of(primary)) for _ in range(2)]
        await are_streaming(primary, len(made.standbys))
        for each in (primary, *made.standbys):
            made.proxies[each] = await stack.enter_async_context(proxy_to(each.socket, ADDRESS))
            await configure(each, ONE_CONFIRMS)
        yield made
