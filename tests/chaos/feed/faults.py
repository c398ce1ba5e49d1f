"""Faults of everything between the writers and the readers, one after the other, in a random order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from mainsheet.models.failures import failures_passed_over
from testbed.databases import execute
from tests.chaos.feed.databases import Pair
from tests.chaos.feed.receiver import Receiver
from tests.chaos.server import Server

WORKERS = 2
# Deliveries wait for minutes after their second failure, and for half a minute after their sender was killed.
RETRY_NOW = "UPDATE webhook_delivery SET next_attempt_at = now() WHERE status = 'PENDING' AND next_attempt_at > now()"
END_LEASE = "UPDATE webhook_lease SET expires_at = now()"


@dataclass
class Faults:
    """`between` waits for some changes while the fault lasts."""

    servers: Sequence[Server]
    pair: Pair
    receiver: Receiver
    chance: Random
    between: Callable[[], Awaitable[None]]

    def in_order(self) -> list[Callable[[], Awaitable[None]]]:
        """Return all faults in a random order."""
        every = [
            self.kill_server,
            self.kill_worker,
            self.reload,
            self.cut_connections,
            self.end_sessions,
            self.drop_notifications,
            self.stop_receiver,
            self.restart,
            self.crash,
            self.fail_over,
        ]
        return self.chance.sample(every, len(every))

    async def kill_server(self) -> None:
        server = self.chance.choice(self.servers)
        await server.kill()
        await execute(self.pair.direct_url, END_LEASE)
        await server.start()

    async def kill_worker(self) -> None:
        await self.chance.choice(self.servers).kill_a_worker(of=WORKERS)
        await execute(self.pair.direct_url, END_LEASE)

    async def reload(self) -> None:
        self.chance.choice(self.servers).reload()

    async def cut_connections(self) -> None:
        self.pair.cut()

    async def end_sessions(self) -> None:
        await self.pair.end_sessions()

    async def drop_notifications(self) -> None:
        self.pair.drop_notifications(are_dropped=True)
        await self.between()
        self.pair.drop_notifications(are_dropped=False)

    async def stop_receiver(self) -> None:
        await self.receiver.stop()
        await self.between()
        await self.receiver.start()

    async def restart(self) -> None:
        await self.pair.restart("fast")

    async def crash(self) -> None:
        await self.pair.restart("immediate")

    async def fail_over(self) -> None:
        await self.pair.fail_over()

    async def retry_now(self) -> None:
        """Let webhooks go on as if minutes had passed, unless that would use up the attempts of a delivery."""
        if self.receiver.is_running:
            await execute(self.pair.direct_url, RETRY_NOW)


async def every(seconds: float, action: Callable[[], Awaitable[None]], stopped: asyncio.Event) -> None:
    """Repeat the action while the database is there, until the event is set."""
    while not stopped.is_set():
        with failures_passed_over():
            await action()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopped.wait()
