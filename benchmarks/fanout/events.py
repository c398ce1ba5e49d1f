"""The members who subscribe, and the changes of jobs that they hear of: the same SQL for all servers."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import asyncpg  # type: ignore[import-untyped]  # has no stubs

from benchmarks.statements import statements
from mainsheet.models.access_token import AccessToken
from mainsheet.models.roles import AccessScope
from testbed.databases import connected

SQL = statements("fanout/events.sql")
TOKEN = """INSERT INTO access_token (id, organization_id, actor_id, digest, scopes, created_at)
SELECT $1, organization_id, id, $3, '["READ", "WRITE"]', now() FROM actor WHERE id = $2"""


@dataclass(frozen=True)
class Member:
    id: str
    token: str


async def members(url: str, size: int) -> list[Member]:
    """Add so many members, each with a token."""
    at, found = datetime.now(UTC), []
    async with connected(url) as connection:
        await connection.execute(SQL["members"], size)
        ids = await connection.fetch("SELECT id FROM actor WHERE id > 'MB000000000000000200' ORDER BY id")
        for (id_,) in ids:
            row, secret = AccessToken.issue("", id_, at, expires_at=None, name=None, scopes=set(AccessScope))
            await connection.execute(TOKEN, row.id, id_, row.digest)
            found.append(Member(id_, secret))
        await connection.execute("VACUUM ANALYZE")
    return found


@dataclass
class Changes:
    """Changes one job after the other of those that some of the members see."""

    connection: asyncpg.Connection
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    viewers: Sequence[tuple[str, int]] = ()  # jobs, and how many subscribers see each

    async def of(self, subscribers: Sequence[Member]) -> None:
        """Change jobs that these see, from now on."""
        ids = sorted({each.id for each in subscribers})
        of_each = len(subscribers) // len(ids)
        found = await self.connection.fetch(SQL["viewers"], ids)
        self.viewers = [(job_id, size * of_each) for job_id, size in found]

    def next(self) -> tuple[int, str, int]:
        """Return the number of the next change, its job, and how many subscribers see that."""
        number = next(self.numbers)
        return number, *self.viewers[number % len(self.viewers)]

    async def make(self, number: int, job_id: str) -> float:
        """Make the change. Return when its statement was sent: the commit is a little later."""
        async with self.turn:
            sent = time.perf_counter()
            await self.connection.execute(SQL["change"], job_id, f"tick-{number}")
        return sent
