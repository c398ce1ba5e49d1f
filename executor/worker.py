"""A worker thread for work that would block the event loop. It runs one function at a time."""

from asyncio import AbstractEventLoop, Future, get_running_loop, shield
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Job:
    future: "Future[Any]"
    waiting: int = 0


class WorkerThread:
    """Runs functions in a thread. Callers with the same key share one run, if they have the same event loop.

    A run that hasn't begun is dropped if all its callers are cancelled.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "worker")
        self._jobs: dict[tuple[AbstractEventLoop, Hashable], _Job] = {}  # a future belongs to its event loop

    async def run(self, key: Hashable, work: Callable[[], T]) -> T:
        """Run the work and return its result, or raise its exception."""
        loop = get_running_loop()
        own = loop, key
        job = self._jobs.get(own)
        if job is None:
            job = self._jobs[own] = _Job(loop.run_in_executor(self._thread, work))
        job.waiting += 1
        try:
            result: T = await shield(job.future)
            return result
        finally:
            job.waiting -= 1
            if not job.waiting:
                job.future.cancel()
                del self._jobs[own]

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
