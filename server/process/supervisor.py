"""Supervises workers that share the listening sockets: starts, replaces, reloads and stops them."""

import asyncio
import fcntl
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic

import structlog

from mainsheet.server.environment import from_files
from mainsheet.server.http.playground import Member
from mainsheet.server.observe.metrics_files import VARIABLE, MetricsFiles
from mainsheet.server.process.listening import Listening
from mainsheet.server.process.stopping import LINGER_SECONDS
from mainsheet.server.process.worker import CannotStart, Reason, Start, Worker, ended
from mainsheet.server.settings import Settings

GRACE_SECONDS = 10  # after a worker's own deadline, before it is killed
EARLY_SECONDS = 10  # a worker that ends sooner counts as failed to start
MOST_SECONDS_APART = 30
MOST_FAILURES = 5  # in a row, without a worker that serves

log = structlog.stdlib.get_logger("mainsheet.supervisor")


def hold_reloads() -> None:
    """Let a SIGHUP wait until a supervisor handles it: by default, it would end the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


class Supervisor:
    def __init__(
        self, settings: Settings, sockets: Listening, members: Sequence[Member], reread: Collection[str] = ()
    ) -> None:
        """Before each start of a worker, read the files of the secret settings named in `reread` again."""
        self.stop_by = signal.SIGINT  # the workers drain first with SIGTERM
        self._sockets = sockets
        self._start = Start(settings, sockets.numbers, members)
        self._reread = reread
        self._environment: dict[str, str] = {}
        self._metrics: MetricsFiles
        self._patience = settings.drain_seconds + LINGER_SECONDS + settings.shutdown_seconds + GRACE_SECONDS
        self._workers: set[Worker] = set()
        self._generation = 0  # grows at each reload
        self._exchanging = asyncio.Lock()
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run the workers inside this context. Raises `CannotStart`, or a group of them if workers can't start."""
        loop = asyncio.get_running_loop()
        with _temporary_folder() as folder:
            self._environment = {**os.environ, VARIABLE: folder}
            self._metrics = MetricsFiles(Path(folder))
            async with asyncio.TaskGroup() as keeping:
                workers = await self._all_started("start")
                log.info("workers started", workers=[worker.process.pid for worker in workers])
                for worker in workers:
                    keeping.create_task(self._keep(worker))
                loop.add_signal_handler(signal.SIGHUP, lambda: keeping.create_task(self._exchange(keeping)))
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
                try:
                    yield
                finally:
                    hold_reloads()
                    loop.remove_signal_handler(signal.SIGHUP)
                    await self._stop()

    async def _stop(self) -> None:
        self._stopping.set()
        self._sockets.close()  # so that no connection is accepted without a worker
        while self._workers:  # a replacement that was starting may have become ready meanwhile
            await self._dismiss(self._workers, self.stop_by)

    async def _all_started(self, reason: Reason) -> Sequence[Worker]:
        """Start all workers, or none."""
        tasks = [asyncio.create_task(self._started(reason)) for _ in range(self._start.settings.workers)]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            started = await asyncio.gather(*tasks, return_exceptions=True)
            await self._dismiss(each for each in started if isinstance(each, Worker))
            raise

    async def _started(self, reason: Reason) -> Worker:
        start = replace(self._start, settings=self._current_settings(), reason=reason)
        worker = await Worker.start(start, self._environment, self._metrics.end)
        self._workers.add(worker)
        return worker

    def _current_settings(self) -> Settings:
        """Return the settings with secrets as their files have them now: a password may have been changed."""
        if not self._reread:
            return self._start.settings
        try:
            now = from_files(os.environ)
            return Settings(**self._start.settings.model_dump() | {name: now[name] for name in self._reread})
        except ValueError as error:
            raise CannotStart(str(error)) from None

    async def _dismiss(self, workers: Iterable[Worker], by: signal.Signals = signal.SIGINT) -> None:
        leaving = list(workers)
        await asyncio.gather(*(worker.leave(self._patience, by) for worker in leaving))
        self._workers.difference_update(leaving)

    async def _exchange(self, keeping: asyncio.TaskGroup) -> None:
        """Start new workers and stop the old ones when all are ready. If one can't start, the old ones stay."""
        async with self._exchanging:
            try:
                new = await self._all_started("reload")
            except CannotStart as error:
                log.warning("reload failed, the old workers stay", reason=str(error))
                return
            if self._stopping.is_set():
                await self._dismiss(new)
                return
            self._generation += 1
            for worker in new:
                keeping.create_task(self._keep(worker))
            log.info("reloaded", workers=[worker.process.pid for worker in new])
            await self._dismiss(self._workers.difference(new))

    async def _keep(self, first: Worker) -> None:
        """Replace the worker each time it ends, until the supervisor stops."""
        worker: Worker | None = first
        generation, early_ends = self._generation, 0
        while worker is not None:
            code = await worker.end()
            self._workers.discard(worker)
            if worker.is_leaving or self._stopping.is_set():
                return
            log.error("worker died", pid=worker.process.pid, how=ended(code))
            is_early = monotonic() - worker.born < EARLY_SECONDS
            early_ends = early_ends + 1 if is_early else 0
            worker = await self._replacement(generation, early_ends)

    async def _replacement(self, generation: int, early_ends: int) -> Worker | None:
        """Start a replacement, with retries. Returns None if a reload has begun a newer generation."""
        failures = 0
        while not (await self._is_stopping_within(pause(early_ends + failures)) or generation < self._generation):
            try:
                worker = await self._started("replacement")
            except CannotStart as error:
                failures += 1
                if failures >= MOST_FAILURES and not self._workers and not self._stopping.is_set():
                    raise
                log.warning("worker failed to start", reason=str(error), next_try_in=pause(early_ends + failures))
                continue
            if self._stopping.is_set() or generation < self._generation:
                await self._dismiss([worker])
                break
            log.info("worker replaced", pid=worker.process.pid)
            return worker
        return None

    async def _is_stopping_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False


@contextmanager
def _temporary_folder() -> Iterator[str]:
    """Make a folder for the files of the workers' metrics. Raises `CannotStart`, as on a read-only file system.

    Its lock keeps systemd-tmpfiles from removing the files of a server that has run for long (tmpfiles.d(5), "Age").
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="mainsheet-metrics-")
    except OSError as error:
        raise CannotStart(str(error)) from None
    with made as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield folder
        finally:
            os.close(descriptor)


def pause(early_ends: int) -> float:
    """Return the seconds before the next start: 0 after the first early end, then doubled each time."""
    return 0 if early_ends <= 1 else min(MOST_SECONDS_APART, 2.0 ** (early_ends - 2))
