"""A primary and its standby, each behind a proxy. When the primary dies, the standby takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url

from testbed.databases import connected, execute, migrated
from testbed.postgres import DURABLE, REPLICATED, Postgres, own_postgres, standby_of
from tests.chaos.outside import Outside
from tests.chaos.proxy import Proxy, proxy_to

DATABASE = "mainsheet"
FOLLOWS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"
END_SESSIONS = (
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid()"
)


@dataclass
class Pair:
    """`url` names both servers, and the driver takes the primary. What is acknowledged is on the standby, too."""

    primary: Postgres
    proxies: list[Proxy]  # the first one is the primary's
    stack: AsyncExitStack
    url: str = ""
    standby: Postgres | None = None

    @property
    def direct_url(self) -> str:
        """The URL of the primary without a proxy."""
        return make_url(self.primary.url).set(database=DATABASE).render_as_string(hide_password=False)

    async def follow(self) -> None:
        """Make a standby, and let commits wait for it."""
        self.standby = await asyncio.to_thread(self.stack.enter_context, standby_of(self.primary))
        self.proxies[1].socket = self.standby.socket
        async with connected(self.primary.url) as connection:
            await Outside(connection, connection).sees(FOLLOWS, 1)
            await connection.execute(SYNCHRONOUS)
            await connection.execute("SELECT pg_reload_conf()")

    async def promote(self) -> None:
        """Let the primary die, and promote the standby."""
        assert self.standby
        await asyncio.to_thread(self.primary.stop, "immediate")
        await asyncio.to_thread(self.standby.promote)
        self.primary, self.standby = self.standby, None
        self.proxies.reverse()

    async def fail_over(self) -> None:
        """Promote the standby, and make a new one."""
        await self.promote()
        await self.follow()

    async def restart(self, mode: str) -> None:
        await asyncio.to_thread(self.primary.restart, mode)

    async def end_sessions(self) -> None:
        await execute(self.direct_url, END_SESSIONS)

    def cut(self) -> None:
        for each in self.proxies:
            each.cut()

    def drop_notifications(self, *, are_dropped: bool) -> None:
        for each in self.proxies:
            each.drops_notifications = are_dropped


@asynccontextmanager
async def replicated_pair(address: str) -> AsyncIterator[Pair]:
    """Yield a pair with a migrated database, by proxies that listen on this address."""
    async with AsyncExitStack() as stack:
        primary = await asyncio.to_thread(stack.enter_context, own_postgres(DURABLE + REPLICATED))
        proxies = [await stack.enter_async_context(proxy_to(primary.socket, address)) for _ in range(2)]
        pair = Pair(primary, proxies, stack)
        hosts = ",".join(f"{address}:{each.port}" for each in proxies)
        pair.url = f"postgresql://postgres@{hosts}/{DATABASE}?target_session_attrs=primary&sslmode=disable"
        await execute(primary.url, f"CREATE DATABASE {DATABASE}")
        await migrated(pair.direct_url)
        await pair.follow()
        yield pair
