"""Snapshots: all statements of an operation read the same state."""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, Self, TypeVar, overload

from sqlalchemy import Dialect, PoolProxiedConnection

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.failures import failure_of, failures_passed_over, is_invalid_text, is_outdated
from mainsheet.models.limits import storable
from mainsheet.models.read_pool import to_its_end
from mainsheet.models.replica import Replica
from mainsheet.models.roles import OrganizationRole
from mainsheet.models.unavailable import DatabaseDown, Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.overlay import NOTHING, Overlay
from mainsheet.resolvers.sql.rights import ACTOR_ID, OWN_ID, RightsUsed
from mainsheet.resolvers.sql.statement import Build, Columns, CompiledStatement, Query, Row, compiled_statement

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SAVEPOINT begun"
TO_BEGIN = "ROLLBACK TO SAVEPOINT begun"  # keeps the snapshot


class Snapshot:
    """A read-only transaction in which all statements see the same state.

    The connection is taken from the pool at the first statement and given back by `close`. It is the primary's unless a
    replica is given. After a failure of the database, every later statement fails: another connection would see another
    state.
    """

    def __init__(self, database: Database, replica: Replica | None = None) -> None:
        self.database = database
        self._pool = replica.pool if replica else database.read_pool
        self._lock = asyncio.Lock()
        self._held: PoolProxiedConnection | None = None
        self._driver: Any = None
        self._begun = False
        self._was_cancelled = False
        self._closed = False
        self._failure: Unavailable | None = None

    async def records(self, statement: CompiledStatement, values: Mapping[str, object], *, alone: bool) -> list[Any]:
        """Run one statement. Concurrent callers wait for each other. Raises `Unavailable`.

        A statement that is `alone` in its operation needs no transaction, unless a pooler would prepare it in one
        session and run it in another.
        """
        async with self._lock:
            if self._failure is not None:
                raise self._failure
            parameters = statement.parameters(values)
            try:
                driver = self._driver or await self._connected()
                if not (self._begun or (alone and self.database.keeps_session)):
                    self._begun = True
                    await driver.execute("BEGIN" if self.database.is_sqlite else SNAPSHOT)
                begun = perf_counter()
                try:
                    return await self._fetched(driver, statement, parameters)
                finally:
                    self.database.instrumentation.statement(statement.sql, perf_counter() - begun)
            except asyncio.CancelledError:
                self._was_cancelled = True
                raise
            except Exception as error:
                self._failure = failure_of(error) or await self._failure_of_rollback()
                if self._failure is not None:
                    raise self._failure from error
                raise

    async def _fetched(self, driver: Any, statement: CompiledStatement, parameters: Sequence[object]) -> list[Any]:
        if self.database.is_sqlite:
            return await driver.execute_fetchall(statement.sql, parameters)  # type: ignore[no-any-return]
        return await self._fetched_by_asyncpg(driver, statement, parameters)

    async def _fetched_by_asyncpg(
        self, driver: Any, statement: CompiledStatement, parameters: Sequence[object]
    ) -> list[Any]:
        """Fetch, and once more if a migration changed the type of a column since the statement was prepared.

        Without a transaction, asyncpg fetches again by itself, but into records of another class (asyncpg 0.32).
        """
        fetch = partial(driver.fetch, statement.sql, *parameters, record_class=statement.record_class)
        try:
            found: list[Any] = await fetch()
        except Exception as error:
            if not (self._begun and is_outdated(error)):
                raise
            await driver.execute(TO_BEGIN)
            return await fetch()  # type: ignore[no-any-return]
        if found and statement.record_class not in (None, type(found[0])):
            return await fetch()  # type: ignore[no-any-return]
        return found

    async def _failure_of_rollback(self) -> Unavailable | None:
        """Roll back after a failed statement, so that other fields can be read. Return a failure if that fails.

        PostgreSQL runs no statement in a failed transaction. There can be one even without BEGIN: a parameter that
        can't be encoded leaves the driver in an implicit transaction.
        """
        if self._held is not None and not self.database.is_sqlite:
            self._begun = True  # if this call is cancelled, `close` rolls back
            try:
                await self._driver.execute("ROLLBACK")
                self._begun = False
            except Exception as error:  # noqa: BLE001 a connection that can't roll back is lost
                return failure_of(error) or DatabaseDown()
        return None

    async def close(self) -> None:
        """Give the connection back. Later statements raise an error."""
        if self._lock.locked():  # by an abandoned statement. This call may be cancelled while it waits.
            await to_its_end(self._give_back())
        else:
            await self._give_back()

    async def _give_back(self) -> None:
        async with self._lock:
            self._closed = True
            held, self._held = self._held, None
            if held is not None:
                await self._end(held)

    async def _end(self, held: PoolProxiedConnection) -> None:
        """Roll back and give the connection back. Don't raise: a connection that can't roll back is closed."""
        is_sound = False
        try:
            is_sound = self._failure is None and (not self._may_be_in_transaction or await self._rolled_back())
        finally:
            self._driver = None
            await self._pool.give_back(held, is_sound=is_sound)

    @property
    def _may_be_in_transaction(self) -> bool:
        """Whether a transaction may be open: asyncpg prepares in an implicit one, and executes in a second step."""
        return self._begun or (self._was_cancelled and not self.database.is_sqlite)

    async def _rolled_back(self) -> bool:
        with failures_passed_over():
            await self._driver.execute("ROLLBACK")
            return True
        return False

    async def _connected(self) -> Any:
        if self._closed:
            raise RuntimeError("This snapshot is closed.")
        self._held = await self._pool.take()
        self._driver = self._held.driver_connection
        return self._driver


@dataclass(frozen=True)
class Read:
    """A snapshot as a caller sees it. `columns` are the wanted columns of its rows, `None` for all.

    The changes of `overlay` are applied to the stored rows. `rights` notes what the statements use of the caller's
    rights, if other callers may share the result. The rows depend on rights on the jobs `subjects` only.
    """

    snapshot: Snapshot
    caller: Caller
    dialect: Dialect
    columns: Columns = None
    alone: bool = False
    overlay: Overlay = NOTHING
    rights: RightsUsed | None = None
    subjects: frozenset[str] | None = None

    @classmethod
    def of(
        cls, database: Database, caller: Caller, overlay: Overlay = NOTHING, *, replica: Replica | None = None
    ) -> Self:
        return cls(Snapshot(database, replica), caller, database.dialect, overlay=overlay)

    def only(self, columns: Columns, *, alone: bool = False) -> "Read":
        return Read(self.snapshot, self.caller, self.dialect, columns, alone, self.overlay, self.rights, self.subjects)

    def about(self, ids: Sequence[str]) -> "Read":
        """Declare that the rows depend on the caller's rights on jobs with these ids, or of events with these, only."""
        return self if self.rights is None else replace(self, subjects=frozenset(ids))

    async def rows(self, query: Query[Row], *shape: Hashable, keys: Sequence[str], **values: object) -> list[Row]:
        """Run the statement of this shape with these values.

        Keys that the database can't store are ignored: no row has them. Raises `BadInput` for another such text.
        """
        one_key = len(keys) == 1
        role = self.caller.organization_role
        overlay = self.overlay
        statement = compiled_statement(
            self.dialect, role, self.columns, query.build, shape, one_key=one_key, overlay=overlay.shape
        )
        if self.rights is not None:
            self.rights.note(statement.extent, self.subjects)
        actor_id = self.caller.actor_id
        own = {"keys": keys, ACTOR_ID: actor_id, OWN_ID: actor_id, "organization_id": self.caller.organization_id}
        given = {**values, **own, **overlay.values}
        if one_key:
            given["key"] = keys[0]
        try:
            return statement.rows(await self.snapshot.records(statement, given, alone=self.alone))
        except Exception as error:
            if not is_invalid_text(error):
                raise
            possible = [each for each in keys if storable(each)]
            if len(possible) == len(keys):
                raise BadInput("A text may hold neither U+0000 nor a lone surrogate.") from error
        return await self.rows(query, *shape, keys=possible, **values) if possible else []

    async def keyed(self, query: Query[Row], *shape: Hashable, keys: Sequence[str], **values: object) -> dict[str, Row]:
        """Return the rows by the query's key, which must be unique."""
        key = query.key
        return {getattr(row, key): row for row in await self.rows(query, *shape, keys=keys, **values)}

    async def grouped(self, query: Query[Row], keys: Sequence[str]) -> dict[str, list[Row]]:
        """Return the rows of each key in order. A key without rows has an empty list."""
        found: dict[str, list[Row]] = {each: [] for each in keys}
        key = query.key
        for row in await self.rows(query, keys=keys):
            found[getattr(row, key)].append(row)
        return found

    async def close(self) -> None:
        await self.snapshot.close()


@overload
async def rows_alone(database: Database, query: Query[Row], **values: object) -> list[Row]: ...
@overload
async def rows_alone(database: Database, query: Build, **values: object) -> list[Any]: ...
async def rows_alone(database: Database, query: Build, **values: object) -> list[Any]:
    """Run one statement without a caller on a connection of the pool. It needs no transaction.

    An SQLAlchemy session would cost as much as a whole small request.
    """
    snapshot = Snapshot(database)
    statement = compiled_statement(database.dialect, OrganizationRole.ADMIN, None, query, (), one_key=False)
    try:
        return statement.rows(await snapshot.records(statement, values, alone=True))
    finally:
        await snapshot.close()


@dataclass(frozen=True)
class BatchOptions:
    """How an executor may call a batch: with `joins`, and without a snapshot if it is one statement."""

    joins: frozenset[str] = frozenset()
    is_one_statement: bool = False


OPTIONS: dict[object, BatchOptions] = {}
NO_OPTIONS = BatchOptions()
AnyBatch = TypeVar("AnyBatch", bound=Callable[..., object])


def batch(*joins: str, is_one_statement: bool = False) -> Callable[[AnyBatch], AnyBatch]:
    """Declare the options of a batch."""

    def declare(function: AnyBatch) -> AnyBatch:
        OPTIONS[function] = BatchOptions(frozenset(joins), is_one_statement)
        return function

    return declare


def options_of(function: Callable[..., object]) -> BatchOptions:
    return OPTIONS.get(getattr(function, "__func__", function), NO_OPTIONS)  # a method is declared in its class
