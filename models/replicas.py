"""The replicas of PostgreSQL, measured in the background, and the choice of one for a query."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any, Self

import structlog
from sqlalchemy import text

from mainsheet.models.database import Database, Patience, open_readers
from mainsheet.models.database_url import DatabaseUrl
from mainsheet.models.replica import WRITTEN, History, Primary, Probe, Replica, ReplicaPool

EVERY_SECONDS = 0.2
WRITTEN_SECONDS = 1  # for the token of an answer that is ready otherwise
KEY_BYTES = 32
UNKNOWN_POSITION = "the primary's position isn't known"

BEGIN_TIMELINE = text("""
INSERT INTO wal_timeline (system_identifier, timeline, key)
SELECT :system_identifier, :timeline, :key WHERE NOT EXISTS (
  SELECT FROM (SELECT * FROM wal_timeline ORDER BY number DESC LIMIT 1) AS newest
  WHERE (system_identifier, timeline) = (:system_identifier, :timeline)
)
""")

log = structlog.stdlib.get_logger("mainsheet.replicas")


@dataclass(eq=False)
class Replicas:
    """The replicas of a database.

    Each has replayed the primary's write-ahead log up to a position, which a probe reads several times in a second, so
    that a query needn't ask. A replica that lags by more than `max_lag` seconds isn't used.
    """

    database: Database
    all: Sequence[Replica] = ()
    max_lag: float = 5
    _primary: Primary | None = None
    _history: History = field(default_factory=History)
    _has_failed: bool = False  # since the primary was last measured
    _turns: "count[int]" = field(default_factory=count)
    _probe: Probe = field(init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: "asyncio.Task[Primary | None] | None" = None  # waits for the lock, for callers of `written`

    def __post_init__(self) -> None:
        self._probe = Probe(self.database.reads)

    @classmethod
    def open(cls, database: Database, urls: Sequence[str], patience: Patience, max_lag: float) -> Self:
        """Create the pools of the replicas without connecting. Raises `BadDatabaseUrl`."""
        return cls(database, [_replica(database, url, patience) for url in urls], max_lag)

    def __bool__(self) -> bool:
        return bool(self.all)

    def choose(self, position: int = 0) -> Replica | None:
        """Return a replica that has replayed the position, the one with the fewest snapshots, or None."""
        usable = [each for each in self.all if each.lag() <= self.max_lag and each.position >= position]
        first = next(self._turns) % max(1, len(usable))
        return min(usable[first:] + usable[:first], key=lambda each: each.pool.used, default=None)

    @property
    def key(self) -> str | None:
        """The key of the primary's timeline. None while it isn't known."""
        return self._primary.key if self._primary else None

    async def written(self) -> Primary | None:
        """Return the primary's state now: everything committed until now is before its position.

        Concurrent callers share a statement that begins after their calls. None if that fails or takes too long,
        because the operation has its answer already.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._written())
        try:
            async with asyncio.timeout(WRITTEN_SECONDS):
                return await asyncio.shield(self._next)
        except TimeoutError:
            return None

    async def _written(self) -> Primary | None:
        async with self._lock:
            self._next = None
            try:
                return Primary(**await self._probe.row(WRITTEN))
            except Exception as error:  # noqa: BLE001 such as that it became a standby
                self._note(error)
                return None

    async def measure(self) -> None:
        """Measure the primary, then all replicas."""
        await self.measure_primary()
        await asyncio.gather(*map(self._measure_replica, self.all))

    async def measure_primary(self) -> None:
        """Read the primary's position. If its timeline is new, write its row, which replicas then replay."""
        begun_at = monotonic()
        try:
            primary = Primary(**await self._probe.row(WRITTEN))
            if primary.key is None:
                await self._begin(primary)
                primary = Primary(**await self._probe.row(WRITTEN))
        except Exception as error:  # noqa: BLE001 replicas are too old to be used soon
            self._note(error)
            return
        self._has_failed = False
        self._primary = primary
        self._history.add(primary, begun_at)

    def _note(self, failure: Exception) -> None:
        """Log that the position isn't known: once, not at each measurement and for each mutation."""
        if not self._has_failed:
            log.warning(UNKNOWN_POSITION, reason=repr(failure))
        self._has_failed = True

    async def _begin(self, primary: Primary) -> None:
        row = {
            "system_identifier": primary.system_identifier,
            "timeline": primary.timeline,
            "key": secrets.token_hex(KEY_BYTES),
        }
        async with self.database.writes.begin() as connection:
            await connection.execute(BEGIN_TIMELINE, row)
        log.info("a timeline of the database begins", timeline=primary.timeline)

    async def _measure_replica(self, replica: Replica) -> None:
        if self._primary is None:
            return
        await replica.measure(self._primary, self._history)

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Measure inside this context, each server by a task of its own: one that hangs delays no other."""
        await self.measure_primary()
        tasks = [asyncio.create_task(_again(self.measure_primary), name="primary")]
        tasks += [asyncio.create_task(_again(self._measure_replica, each), name=each.name) for each in self.all]
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        await self._probe.close()
        for each in self.all:
            await each.close()


async def _again(measure: Callable[..., Coroutine[Any, Any, None]], *arguments: Replica) -> None:
    """Measure for ever: an error must not end it, or the replica would be unused until a restart."""
    has_failed = False
    while True:
        try:
            await measure(*arguments)
            has_failed = False
        except Exception:
            if not has_failed:
                log.exception("a measurement of the replicas failed")
            has_failed = True
        await asyncio.sleep(EVERY_SECONDS)


def _replica(database: Database, url: str, patience: Patience) -> Replica:
    parsed = DatabaseUrl.parse(url)
    engine = open_readers(parsed, patience)
    return Replica(parsed.servers[0][0], engine, ReplicaPool(engine, database.read_pool.size, patience.connection))
