"""One replica of PostgreSQL: its connections, and how far it has replayed the primary's write-ahead log (WAL)."""

import asyncio
import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from mainsheet.models.read_pool import ReadPool, discard, to_its_end
from mainsheet.models.unavailable import DatabaseDown
from mainsheet.models.wal_timeline import TIMELINE_OF

PROBE_SECONDS = 2  # for a server to answer a probe
LOG_SECONDS = 60  # between two equal lines about one replica
NOT_PROBED = "it wasn't probed yet"
IS_PRIMARY = "it is the primary"
SAMPLES = 1_000  # of the primary's position, at most: those of the longest `replica_max_lag_seconds`

NEWEST_TIMELINE = "LEFT JOIN LATERAL (SELECT * FROM wal_timeline ORDER BY number DESC LIMIT 1) AS newest ON true"
# The timeline shows if it follows another primary than ours. `received_tli` is current, but NULL for roles without the
# rights of pg_read_all_stats; the other two change at the next restart point. The position never goes back on one
# connection: a server that recovers from a crash closes all of them.
REPLAYED = f"""
SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint AS position, version_num AS revision, newest.key,
  greatest(checkpoint.timeline_id, recovery.min_recovery_end_timeline, receiver.received_tli) AS timeline
FROM alembic_version CROSS JOIN pg_control_checkpoint() AS checkpoint CROSS JOIN pg_control_recovery() AS recovery
LEFT JOIN pg_stat_wal_receiver AS receiver ON true {NEWEST_TIMELINE}
WHERE pg_is_in_recovery()
"""  # noqa: S608 of constants
# The end of all records before the place where the next one is inserted. A page of the log begins with a header: of 40
# bytes in the first page of a file, else of 24 (PostgreSQL's access/xlog_internal.h). If the last record fills a page,
# the next one is inserted behind a header. No replica is there before that record, which an idle primary doesn't write.
END_BEFORE = """
({inserted} - '0/0')::bigint - CASE
  WHEN ({inserted} - '0/0') % pg_size_bytes(current_setting('wal_segment_size')) = 40 THEN 40
  WHEN ({inserted} - '0/0') % current_setting('wal_block_size')::bigint = 24 THEN 24
  ELSE 0 END
"""
WRITTEN = f"""
SELECT {END_BEFORE.format(inserted="position.lsn")} AS position, control.system_identifier, position.timeline,
  version_num AS revision,
  CASE WHEN (newest.system_identifier, newest.timeline) = (control.system_identifier, position.timeline)
    THEN newest.key END AS key
FROM alembic_version CROSS JOIN pg_control_system() AS control CROSS JOIN (
  SELECT lsn, {TIMELINE_OF.format(position="lsn")} AS timeline
  FROM pg_current_wal_insert_lsn() AS lsn
) AS position {NEWEST_TIMELINE}
"""  # noqa: S608 of constants
REPLAYED_POSITION = "SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint"

log = structlog.stdlib.get_logger("mainsheet.replicas")


@dataclass(frozen=True)
class Primary:
    """The state of the primary: its position in the WAL, the timeline's key, and the revision of the database."""

    position: int
    system_identifier: int
    timeline: int
    key: str | None  # None until the timeline has a row in `wal_timeline`
    revision: str


class History:
    """Positions of the primary, the oldest first, each with a time of our clock when the primary wasn't beyond it."""

    def __init__(self) -> None:
        self.key: str | None = None
        self._samples: deque[tuple[int, float]] = deque(maxlen=SAMPLES)

    def add(self, primary: Primary, begun_at: float) -> None:
        if primary.key != self.key:
            self._samples.clear()
            self.key = primary.key
        if self._samples and self._samples[-1][0] == primary.position:
            self._samples.pop()
        if not self._samples or self._samples[-1][0] < primary.position:
            self._samples.append((primary.position, begun_at))

    def reached_at(self, position: int) -> float:
        """Return the time of the newest sample that isn't beyond the position: all changes before it are included."""
        index = bisect_right(self._samples, position, key=lambda sample: sample[0])
        return self._samples[index - 1][1] if index else -math.inf


class Probe:
    """A connection of its own for one short statement, so that it never waits for a free one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lock = asyncio.Lock()
        self._connection: PoolProxiedConnection | None = None

    async def row(self, sql: str) -> Any:
        """Return the row, or None if there is none. Raises the driver's errors, and then connects anew."""
        async with self._lock:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    return await self._fetched(sql)
            except BaseException:
                await self.close()
                raise

    async def _fetched(self, sql: str) -> Any:
        if self._connection is None:
            self._connection = await self._engine.raw_connection()
        driver: Any = self._connection.driver_connection
        return await driver.fetchrow(sql)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _drop(connection)


class ReplicaPool(ReadPool):
    """The connections of a replica for snapshots. `position` is how far it had come at the last probe."""

    def __init__(self, engine: AsyncEngine, size: int, timeout: float) -> None:
        super().__init__(engine, size, timeout)
        self.position = 0
        self._taken: set[PoolProxiedConnection] = set()

    async def take(self) -> PoolProxiedConnection:
        connection = await super().take()
        self._taken.add(connection)
        return connection

    async def give_back(self, connection: PoolProxiedConnection, *, is_sound: bool = True) -> None:
        self._taken.discard(connection)
        await super().give_back(connection, is_sound=is_sound)

    def cut(self) -> None:
        """Close all connections at once, so that no query waits for a server whose network is cut."""
        for each in (*self._taken, *self.idle):
            _terminate(each)

    async def drop_idle(self) -> None:
        while self.idle:
            await _drop(self.idle.pop())

    async def _opened(self) -> PoolProxiedConnection:
        """Connect. A server that was restarted or replaced isn't used before it has come as far again."""
        connection = await super()._opened()
        try:
            await self._check(connection)
        except BaseException:
            await to_its_end(greenlet_spawn(discard, connection))
            raise
        return connection

    async def _check(self, connection: PoolProxiedConnection) -> None:
        """Raise `DatabaseDown` if the server hasn't come as far as it had before."""
        driver: Any = connection.driver_connection
        position = await driver.fetchval(REPLAYED_POSITION)
        if position is None or position < self.position:
            raise DatabaseDown


def _terminate(connection: PoolProxiedConnection) -> None:
    """Close the connection at once: a server whose network is cut wouldn't answer a polite end."""
    driver: Any = connection.driver_connection
    if driver is not None:  # None once it is invalidated
        driver.terminate()


async def _drop(connection: PoolProxiedConnection) -> None:
    _terminate(connection)
    await to_its_end(greenlet_spawn(discard, connection))


@dataclass(eq=False)
class Replica:
    """A replica. It has all changes that the primary had at `current_at` by our monotonic clock, and maybe later ones.

    It isn't used between a failure and the next successful probe.
    """

    name: str
    engine: AsyncEngine
    pool: ReplicaPool
    current_at: float = -math.inf
    problem: str = NOT_PROBED
    probe: Probe = field(init=False)
    timeline: int = 0  # the newest that it was seen on since its last failure; a server must restart to go back
    _logged: str = NOT_PROBED  # the problem in the newest line
    _logged_at: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.probe = Probe(self.engine)

    @property
    def position(self) -> int:
        return self.pool.position

    def lag(self) -> float:
        """Return how many seconds ago the primary was certainly where this replica is; infinite if that isn't known."""
        return monotonic() - self.current_at

    def reported_lag(self) -> float:
        """Return the lag for operators: 0 for the primary, which may be listed with its replicas."""
        return 0 if self.problem == IS_PRIMARY else self.lag()

    async def measure(self, primary: Primary, history: History) -> None:
        """Probe its position. A replica of another timeline or revision isn't used, and keeps no idle connections."""
        try:
            row = await self.probe.row(REPLAYED)
            self.timeline = max(self.timeline, row["timeline"] if row else 0)
            if row is None:
                problem = _problem_of_primary(await self.probe.row(WRITTEN), primary)
            else:
                problem = _problem(row, self.timeline, primary)
            if problem:
                self.leave(problem)
                await self.pool.drop_idle()
            else:
                self._use(row["position"], history)
        except Exception as error:  # noqa: BLE001 whatever a driver raises: the replica can't be used
            self.leave(repr(error))
            self.timeline = 0
            self.pool.cut()

    def _use(self, position: int, history: History) -> None:
        self.pool.position = position
        self.current_at = history.reached_at(position)
        self.problem = ""
        self._log()

    def leave(self, problem: str) -> None:
        """Don't use it until the next successful probe."""
        self.problem = problem
        self.current_at = -math.inf
        self._log()

    def _log(self) -> None:
        """Log a change. A replica that fails again and again doesn't fill the log."""
        event = "replica not used" if self.problem else "replica used"
        now = monotonic()
        if self.problem == self._logged or now - self._logged_at.get(event, -math.inf) < LOG_SECONDS:
            return
        self._logged, self._logged_at[event] = self.problem, now
        if self.problem:
            log.warning(event, replica=self.name, reason=self.problem)
        else:
            log.info(event, replica=self.name)

    async def close(self) -> None:
        await self.probe.close()
        await self.pool.close()
        await self.engine.dispose()


def _problem_of_primary(row: Any, primary: Primary) -> str:
    """Return why a server that isn't a replica isn't used."""
    is_ours = row is not None and primary.key is not None and row["key"] == primary.key
    return IS_PRIMARY if is_ours else "it isn't a replica, but another primary"


def _problem(row: Any, timeline: int, primary: Primary) -> str:
    """Return why a replica with this row isn't used, or an empty string."""
    if row["position"] is None:
        return "it hasn't replayed anything"
    if timeline > primary.timeline:
        return "it follows another primary, on a newer timeline"
    if row["key"] is None or row["key"] != primary.key:
        return "it hasn't replayed the primary's timeline"
    if row["revision"] != primary.revision:
        return "its database has another revision"
    return ""
