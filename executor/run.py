"""One execution of a unit with resolvers: the tasks of its awaitables, and what its resolvers returned."""

from asyncio import CancelledError, Future, Task, create_task, get_running_loop, wait
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from graphql import VariableValues
from graphql.pyutils import Path

from mainsheet.executor.shape import Unsupported

Complete = Callable[[Any, Path], Awaitable[Any]]


class Run:
    """Awaits what resolvers return, all at the same time, each in a task of its own as graphql-core does.

    The first failure ends the run. graphql-core then executes the operation again, with the run as its middleware,
    so that no resolver is called twice.
    """

    def __init__(self, make_core: Callable[[], Any], variables: VariableValues, *, is_sync: bool) -> None:
        self.variables = variables
        self.results: dict[Path, Any] = {}
        self._make_core = make_core
        self._is_sync = is_sync
        self._new: list[tuple[Path, Any]] = []
        self._tasks: set[Task[Any]] = set()
        self._failure: BaseException | None = None
        self._ended: Future[None] | None = None

    @cached_property
    def core(self) -> Any:
        """graphql-core's executor of this operation, which builds every `info`."""
        return self._make_core()

    def wait_for(self, holder: dict[str, Any], path: Path, awaitable: Any, complete: Complete) -> None:
        """Put the completed result into `holder` when it is there."""
        if self._is_sync:
            raise Unsupported("an awaitable")
        self._new.append((path, self._completed(holder, path, awaitable, complete)))

    async def _completed(self, holder: dict[str, Any], path: Path, awaitable: Any, complete: Complete) -> Any:
        """Return the result as the resolver gave it: after a failure, graphql-core completes it."""
        result = await awaitable
        if self._failure is None:
            try:
                holder[str(path.key)] = await complete(result, path)
            except Exception as failure:  # noqa: BLE001 graphql-core raises it again, with its path
                self._fail(failure)
            self._start()
        return result

    def _start(self) -> None:
        """Start the new tasks. Not before the code that made them has ended, for they copy its context variables."""
        new, self._new = self._new, []
        for path, coroutine in new:
            task = self.results[path] = create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "Task[Any]") -> None:
        self._tasks.discard(task)
        failure = CancelledError() if task.cancelled() else task.exception()
        if failure is not None:
            self._fail(failure)
        elif not self._tasks:
            self._wake()

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        self._wake()

    def _wake(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def finish(self) -> None:
        """Wait until everything is completed. Raises the first failure."""
        self._start()
        if self._tasks and self._failure is None:
            self._ended = get_running_loop().create_future()
            await self._ended
        if self._failure is not None:
            raise self._failure

    def resolve(self, call: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
        """Return what a resolver has returned or raised, or its task. Call it if it wasn't called.

        This makes the run a middleware of graphql-core.
        """
        self._start()
        if info.path not in self.results:
            return call(source, info, **arguments)
        return self.results[info.path]

    async def close(self) -> None:
        """Cancel the tasks that nothing waits for any more, and wait for their end."""
        if self._new:
            self._start()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await wait(self._tasks)
