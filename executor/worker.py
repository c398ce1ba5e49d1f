"""A worker thread for work that would block the event loop. It runs one function at a time."""

from asyncio import AbstractEventLoop, get_running_loop, shield, wrap_future
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)
    waiting: int = 0
    has_begun: bool = False

    def begin(self) -> bool:
        """Return whether the job is to run now: it hasn't begun, and somebody waits for it."""
        if self.has_begun:
            return False
        self.has_begun = True
        return self.future.set_running_or_notify_cancel()

    def run(self) -> None:
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # noqa: BLE001 it is raised for those who wait
            self.future.set_exception(error)
            del self  # the error's traceback refers to this frame


@dataclass(eq=False)
class _Queue:
    """Jobs, and the queues of those who take turns."""

    jobs: deque[_Job] = field(default_factory=deque)
    queues: "OrderedDict[Hashable, _Queue]" = field(default_factory=OrderedDict)

    def __bool__(self) -> bool:
        return bool(self.jobs or self.queues)

    def add(self, names: Sequence[Hashable], job: _Job) -> None:
        if names:
            self.queues.setdefault(names[0], _Queue()).add(names[1:], job)
        else:
            self.jobs.append(job)

    def pop(self) -> _Job:
        """Remove and return the next job: of each queue one in turn."""
        if self.jobs:
            return self.jobs.popleft()
        name, queue = self.queues.popitem(last=False)
        job = queue.pop()
        if queue:
            self.queues[name] = queue
        return job


class WorkerThread:
    """Runs functions in a thread. Callers with the same key share one run, if they have the same event loop.

    `turns` are the names of those who take turns, such as a group and one of its members: the groups take turns, and in
    each its members. However much work one of them has, it makes the others wait for one function only.

    A run that hasn't begun is dropped if all its callers are cancelled.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "worker")
        self._jobs: dict[tuple[AbstractEventLoop, Hashable], _Job] = {}  # which the loop's thread changes
        self._queue = _Queue()
        self._lock = Lock()

    async def run(self, key: Hashable, work: Callable[[], T], turns: Sequence[Hashable] = ()) -> T:
        """Run the work and return its result, or raise its exception."""
        own = get_running_loop(), key
        job = self._jobs.get(own)
        if job is None:
            job = self._jobs[own] = _Job(work)
        job.waiting += 1
        future = wrap_future(job.future)
        try:
            self._add(job, turns)
            result: T = await shield(future)
            return result
        finally:
            job.waiting -= 1
            if not job.waiting:
                future.cancel()
                del self._jobs[own]

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            while self._queue:
                self._queue.pop().future.cancel()

    def _add(self, job: _Job, turns: Sequence[Hashable]) -> None:
        """Add the job to the queue of each of its callers, and run whichever is the next then."""
        with self._lock:
            self._thread.submit(self._run_next)
            self._queue.add(turns, job)

    def _run_next(self) -> None:
        with self._lock:
            job = self._queue.pop() if self._queue else None
            is_due = job is not None and job.begin()
        if job is not None and is_due:
            job.run()
