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
    stack: AsyncExitStack

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
        """Kill the primary, promote the standby that received more, and replace the primary by a new standby."""
        old = self.primary
        await asyncio.to_thread(old.stop, "immediate")
        received = [await _received(each) for each in self.standbys]
        self.primary = self.standbys.pop(received.index(max(received)))
        await asyncio.to_thread(self.primary.promote)
        for each in self.standbys:
            await let_follow(each, self.primary)
        await self.add_standby(self.proxies.pop(old))

    async def add_standby(self, proxy: Proxy) -> None:
        new = await asyncio.to_thread(self.stack.enter_context, standby_of(self.primary))
        self.standbys.append(new)
        self.proxies[new] = proxy
        proxy.socket = new.socket
        await are_streaming(self.primary, len(self.standbys))


async def _received(server: Postgres) -> int:
    async with connected(server.url) as connection:
        return int(await connection.fetchval(RECEIVED))


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Yield a cluster with a migrated database."""
    async with AsyncExitStack() as stack:
        primary = await migrated_primary(stack)
        proxies = [await stack.enter_async_context(proxy_to(primary.socket, ADDRESS)) for _ in range(3)]
        made = Cluster(primary, [], {primary: proxies[0]}, stack)
        for each in proxies[1:]:
            await made.add_standby(each)
        for server in (primary, *made.standbys):
            await configure(server, ONE_CONFIRMS)
        yield made
