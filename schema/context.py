from asyncio import Future, Task, current_task, shield
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from graphql import GraphQLError
from graphql.pyutils import Path
from strawberry.dataloader import DataLoader

from mainsheet.executor import Place
from mainsheet.models.database import Database
from mainsheet.models.replica import Replica
from mainsheet.models.roles import AccessScope
from mainsheet.models.unavailable import DatabaseDown
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.rights import RightsUsed
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Columns

Batch = Callable[..., Awaitable[Mapping[Any, Any]]]


class Context:
    """The state of one operation: the caller, the snapshot, and a loader for each batch and its arguments."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self.database = database
        self.caller = caller
        self.read = Read.of(database, caller)
        self.replica: Replica | None = None
        self._loaders: dict[tuple[Batch, tuple[Any, ...]], DataLoader[Any, Any]] = {}
        self._answers: dict[tuple[Batch, tuple[Any, ...]], Mapping[Any, Any]] = {}
        self._failed: dict[tuple[Any, ...], Exception] = {}
        self._loading: set[Task[Any]] = set()
        self.is_abandoned = False
        self.may_read = AccessScope.READ in caller.scopes

    def _check_scope(self) -> None:
        """Raise unless the caller may read. After a change, its payload may be read with the mutation's scope."""
        if not self.may_read:
            message = "Your token lacks the scope READ, which queries need."
            raise GraphQLError(message, extensions={"code": "SCOPE_MISSING", "missingScope": "READ"})

    def load(self, batch: Batch, key: Any, *arguments: Any, path: Path | None = None) -> "Future[Any] | Any":  # noqa: ARG002 for traces
        """Return one key's answer if it was loaded before, or a future.

        Keys of the same batch and arguments are loaded together.
        """
        self._check_scope()
        answers = self._answers.get((batch, arguments))
        if answers is not None and key in answers:
            return answers[key]
        loader = self._loaders.get((batch, arguments))
        if loader is None:
            loader = self._loaders[batch, arguments] = DataLoader(self._load_fn(batch, arguments))
        # Each caller gets a future of its own. graphql-core cancels the siblings of a field that failed, and the loader
        # shares one future among all callers with the same key.
        answer: Future[Any] = loader.load(key)  # type: ignore[assignment]  # declared as any awaitable
        answer.add_done_callback(_mark_as_retrieved)  # all callers may have been cancelled
        return shield(answer)

    async def load_all(
        self,
        batch: Batch,
        keys: Sequence[Any],
        *arguments: Any,
        columns: Columns = None,
        alone: bool = False,
        place: Place | None = None,  # noqa: ARG002 for traces
    ) -> Mapping[Any, Any]:
        """Return the answers of many keys, including those that were loaded before. A key without one may be missing.

        A batch that failed for the same keys isn't called again: its exception is raised again.
        With `columns`, rows may have only these columns and those that every row has; all calls of a batch must
        then pass them. If the batch is `alone` in the operation, it needs no snapshot.
        """
        self._check_scope()
        answers = self._answers.get((batch, arguments))
        read = self.read.only(columns, alone=alone)
        if answers is None:
            answers = self._answers[batch, arguments] = await self._fetch(read, batch, keys, arguments)
        elif missing := [key for key in keys if key not in answers]:
            answers = self._answers[batch, arguments] = {
                **answers,
                **await self._fetch(read, batch, missing, arguments),
            }
        return answers

    async def _fetch(
        self, read: Read, batch: Batch, keys: Sequence[Any], arguments: tuple[Any, ...]
    ) -> Mapping[Any, Any]:
        if self._failed and (failure := self._failed.get((batch, arguments, *keys))):
            raise failure
        try:
            return await batch(read, keys, *arguments)
        except Exception as error:
            self._failed[batch, arguments, *keys] = error
            raise

    async def switch_to(self, read: Read, *, is_refused: bool = False) -> None:
        """Forget all answers and read the snapshot after a mutation from now on."""
        self.may_read = AccessScope.READ in self.caller.scopes or not is_refused
        await self._read_anew(read)

    async def _read_anew(self, read: Read) -> None:
        before, self.read = self.read, read  # first, so that `close` finds it even if this call is cancelled
        self._loaders.clear()
        self._answers.clear()
        self._failed.clear()
        await before.close()

    def read_from(self, replica: Replica) -> None:
        """Read from a replica instead of the primary. Call it before anything is read."""
        self.replica = replica
        self.read = Read.of(self.database, self.caller, replica=replica)

    async def leave_replica(self, failure: Exception) -> bool:
        """Forget all answers of a replica, and read from the primary. False if that was read already."""
        replica, self.replica = self.replica, None
        if replica is None:
            return False
        if isinstance(failure, DatabaseDown):
            replica.leave(str(failure))
        await self._read_anew(Read.of(self.database, self.caller))
        return True

    def note_rights(self, used: RightsUsed) -> Read:
        """Note which of the caller's rights all statements use. Call it before anything is read."""
        self.read = replace(self.read, rights=used)
        return self.read

    def abandon(self) -> None:
        """Begin no further mutation: the client has left."""
        self.is_abandoned = True

    async def close(self) -> None:
        for task in self._loading:
            task.cancel()
        self._failed.clear()
        await self.read.close()

    def _load_fn(self, batch: Batch, arguments: tuple[Any, ...]) -> Callable[[list[Any]], Awaitable[Sequence[Any]]]:
        async def load(keys: list[Any]) -> Sequence[Any]:
            task = cast("Task[Any]", current_task())  # the loader's: it may outlive all its callers
            self._loading.add(task)
            try:
                answers = await batch(self.read, keys, *arguments)
            finally:
                self._loading.discard(task)
            return [answers.get(key) for key in keys]

        return load


def _mark_as_retrieved(answer: "Future[Any]") -> None:
    if not answer.cancelled():
        answer.exception()
