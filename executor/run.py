"""One execution of a unit with resolvers: the tasks of its awaitables, and what its resolvers returned."""

from asyncio import CancelledError, Future, Task, get_running_loop, wait
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Iterable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from graphql import VariableValues
from graphql.pyutils import Path

from mainsheet.executor.bounds import AnswerTooLarge
from mainsheet.executor.unsupported import Unsupported, close_unawaited, is_coroutine

Complete = Callable[[Any, Path, "list[Pending]"], Awaitable[Any]]
T = TypeVar("T")
UNSET: Any = object()


@dataclass(slots=True)
class Pending:
    """A resolver's awaitable. Its completed result becomes `holder[path.key]`."""

    holder: dict[str, Any]
    path: Path
    awaitable: Any
    complete: Complete


@dataclass(slots=True)
class Started:
    """The task of a resolver's awaitable. Awaiting this returns the result, and sets the task's context variables.

    graphql-core awaits it in place of the resolver's awaitable, which would have set them there.
    """

    task: "Task[tuple[Any, Context]]"

    def __await__(self) -> Generator[Any, None, Any]:
        result, context = yield from self.task
        for variable, value in context.items():
            if variable.get(UNSET) is not value:
                variable.set(value)
        return result


class Run:
    """Awaits what resolvers return, all at the same time, each in a task of its own as graphql-core does.

    The first failure ends the run. graphql-core then executes the operation again, with the run as its middleware, or
    completes the value at `path` again. It gets the same objects, so that none of these resolvers is called twice.

    `path` is the path of the value that the unit completes: None for a whole operation.
    """

    def __init__(
        self, make_core: Callable[[], Any], variables: VariableValues, *, is_sync: bool, path: Path | None = None
    ) -> None:
        self.variables = variables
        self.path = path
        self.left: list[object] = []  # what the unit had read when it failed
        self._make_core = make_core
        self._is_sync = is_sync
        self._results: dict[Path, tuple[Any, Any]] = {}  # parents and results
        self._tasks: dict[Task[tuple[Any, Context]], Any] = {}  # their awaitables
        self._calls: dict[Hashable, tuple[dict[Any, None], Task[Mapping[Any, Any]]]] = {}  # of batches, with their keys
        self._loads: set[Task[Mapping[Any, Any]]] = set()
        self._failure: BaseException | None = None
        self._ended: Future[None] | None = None

    @cached_property
    def core(self) -> Any:
        """graphql-core's executor of this operation, which builds every `info`."""
        return self._make_core()

    def keep(self, path: Path, parent: Any, result: Any) -> Any:
        """Remember a parent's field, which graphql-core may need again. Returns it; a list as a copy."""
        kept = _copied(result)
        self._results[path] = parent, kept
        return kept

    async def load(
        self, call: Hashable, answers: Callable[..., Any], keys: Iterable[Any], *question: Any, **asked: Any
    ) -> Mapping[Any, Any]:
        """Return a batch's results. All that make this call before the event loop's next iteration share it.

        So the values that several resolvers returned are loaded together, as by a `DataLoader`.
        """
        if call not in self._calls:
            task = _started(self._loaded(call, answers, *question, **asked))
            self._loads.add(task)
            task.add_done_callback(self._end_load)
            self._calls[call] = {}, task
        wanted, task = self._calls[call]
        wanted.update(dict.fromkeys(keys))
        found = await task
        if self._failure is not None:
            raise self._failure
        return found

    async def _loaded(self, call: Hashable, answers: Callable[..., Any], *question: Any, **asked: Any) -> Any:
        keys, _ = self._calls.pop(call)
        return await answers(self.core.context_value, [*keys], *question, **asked)

    def _end_load(self, task: "Task[Mapping[Any, Any]]") -> None:
        self._loads.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio logs one that nothing has read: those who waited may be cancelled

    def wait_for(self, pending: Pending, new: list[Pending]) -> None:
        """Add an awaitable to the new ones of the code that is running."""
        if self._is_sync:
            raise Unsupported("an awaitable")
        new.append(pending)

    async def _completed(self, pending: Pending) -> tuple[Any, Context]:
        """Return the result as the resolver gave it: after a failure, graphql-core completes it."""
        result = _copied(await pending.awaitable)
        if self._failure is None:
            new: list[Pending] = []
            try:
                pending.holder[str(pending.path.key)] = await pending.complete(result, pending.path, new)
            except Exception as failure:  # noqa: BLE001 graphql-core raises it again, with its path
                self._fail(failure)
            else:
                self._start(new)
        return result, copy_context()

    def _start(self, new: list[Pending]) -> None:
        """Start tasks. Call it where the code that called their resolvers has ended: they copy context variables."""
        for each in new:
            task = _started(self._completed(each))
            self._tasks[task] = each.awaitable
            self._results[each.path] = self._results[each.path][0], Started(task)
            task.add_done_callback(self._end)

    def _end(self, task: "Task[tuple[Any, Context]]") -> None:
        _close(self._tasks.pop(task))
        failure: BaseException | None
        try:
            failure = task.exception()
        except CancelledError as cancelled:
            failure = cancelled
        if failure is not None:
            self._fail(failure)
        elif not self._tasks:
            self._wake()

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
            if isinstance(failure, AnswerTooLarge):
                self._cancel()
        self._wake()

    def _wake(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def turn(self, pause: Awaitable[int]) -> int:
        """Wait for the next turn. Raises the run's failure, so that nothing continues beside graphql-core."""
        size = await pause
        if self._failure is not None:
            raise self._failure
        return size

    async def finish(self, new: list[Pending]) -> None:
        """Start the root's awaitables and wait until everything is completed. Raises the first failure."""
        self._start(new)
        if self._tasks:
            self._ended = get_running_loop().create_future()
            await self._ended
        if self._failure is not None:
            raise self._failure

    def resolve(self, call: Callable[..., Any], source: Any, info: Any, /, **arguments: Any) -> Any:
        """Return what was read of the same parent before, or the exception, or its task. Otherwise call the resolver.

        This makes the run a middleware of graphql-core. Arguments of the field may have any name, such as `source`.
        """
        parent, result = self._results.get(info.path, (UNSET, None))
        if parent is not source:
            return call(source, info, **arguments)
        del self._results[info.path]
        return result

    async def close(self) -> None:
        """Cancel what nothing waits for any more, and wait for its end."""
        self._failure = self._failure or CancelledError()
        self._cancel()
        for _, result in self._results.values():
            _close(result)
        self._results.clear()
        if not self._is_sync:  # where graphql-core may still return it
            close_unawaited(self.left)
        while running := {*self._tasks, *self._loads}:
            await wait(running)

    def _cancel(self) -> None:
        for task in (*self._tasks, *self._loads):
            task.cancel()


def _started(coroutine: Coroutine[Any, Any, T]) -> "Task[T]":
    """Return a coroutine's task, which begins in the event loop's next iteration.

    The loop may have an eager task factory (Python 3.12), whose tasks begin before the others of one step are known.
    """
    return Task(coroutine)


def _copied(result: Any) -> Any:
    """Return a copy of a list: others may change it before graphql-core reads it."""
    return [*result] if type(result) is list else result


def _close(result: Any) -> None:
    """Close a coroutine that was never started: Python would warn of it."""
    if is_coroutine(result):
        result.close()
