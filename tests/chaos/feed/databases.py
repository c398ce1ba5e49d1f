"""A primary and its standby, each behind a proxy. When the primary dies, the standby takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from testbed.databases import execute
from testbed.postgres import Postgres, standby_of
from tests.chaos.proxy import Proxy, proxy_to
from tests.chaos.standbys import DATABASE, are_streaming, configure, direct_url, migrated_primary, url_of_hosts

SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"
END_SESSIONS = (
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid()"
)


@dataclass
class Pair:
    """`url` names both servers, and the driver takes the primary. What is acknowledged is on the standby, too."""

    primary: Postgres
    proxies: list[Proxy]  # the first one is the primary's
    of_primary: AsyncExitStack  # removes its files, which are in memory
    of_standby: AsyncExitStack
    url: str = ""
    standby: Postgres | None = None

    @property
    def direct_url(self) -> str:
        """The URL of the primary without a proxy."""
        return direct_url(self.primary)

    async def follow(self) -> None:
        """Make a standby, and let commits wait for it."""
        self.standby = await asyncio.to_thread(self.of_standby.enter_context, standby_of(self.primary))
        self.proxies[1].socket = self.standby.socket
        await are_streaming(self.primary, 1)
        await configure(self.primary, SYNCHRONOUS)

    async def promote(self) -> None:
        """Let the primary die, promote the standby, and remove what is left of the former primary."""
        assert self.standby
        await asyncio.to_thread(self.primary.stop, "immediate")
        await asyncio.to_thread(self.standby.promote)
        self.primary, self.standby = self.standby, None
        self.proxies.reverse()
        dead = self.of_primary.pop_all()
        self.of_primary, self.of_standby = self.of_standby, self.of_primary
        await dead.aclose()

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
        of_primary, of_standby = [await stack.enter_async_context(AsyncExitStack()) for _ in range(2)]
        primary = await migrated_primary(of_primary)
        proxies = [await stack.enter_async_context(proxy_to(primary.socket, address)) for _ in range(2)]
        pair = Pair(primary, proxies, of_primary, of_standby)
        pair.url = f"{url_of_hosts(address, [each.port for each in proxies])}&target_session_attrs=primary"
        await pair.follow()
        yield pair
