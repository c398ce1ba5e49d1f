"""Several processes that share the listening sockets: started, replaced when they end, exchanged, told to stop."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import socket
from time import monotonic
from typing import TextIO

import orjson
import structlog

from server.playground import Member
from server.settings import Settings
from server.under_way import LINGER_SECONDS

READY, FAILED = "ready", "failed"
COMMAND = (sys.executable, "-P", "-m", "server.commands.worker")
START_SECONDS = 120
GRACE_SECONDS = 10  # beyond its own deadline, for a worker that hangs
EARLY_SECONDS = 10  # who ends sooner may do so again
MOST_SECONDS_APART = 30
MOST_FAILURES = 5  # in a row, with nobody left who serves

log = structlog.stdlib.get_logger("server.supervisor")


class CannotStart(Exception):
    """A worker ended before it was ready; its reason is for people."""


@dataclass(frozen=True)
class Start:
    """What a worker needs to know, as one line of JSON."""

    settings: Settings
    sockets: Sequence[int]
    members: Sequence[Member]

    def line(self) -> bytes:
        asked = {"settings": self.settings.model_dump(mode="json"), "sockets": self.sockets, "members": self.members}
        return orjson.dumps(asked) + b"\n"

    @classmethod
    def read(cls, stream: TextIO) -> "Start":
        told = orjson.loads(stream.readline())
        return cls(Settings(**told["settings"]), told["sockets"], told["members"])


@dataclass(eq=False)
class Worker:
    process: asyncio.subprocess.Process
    born: float
    is_leaving: bool = False

    @classmethod
    async def start(cls, start: Start, environment: dict[str, str]) -> "Worker":
        """Return one that serves; raise `CannotStart`."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=start.sockets,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the supervisor, which tells them
        )
        worker = cls(process, monotonic())
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker._ready(start)
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def _ready(self, start: Start) -> None:
        assert self.process.stdin  # noqa: S101 both are pipes
        assert self.process.stdout  # noqa: S101
        self.process.stdin.write(start.line())
        said = (await self.process.stdout.readline()).decode().strip()
        if said != READY:
            reason = said.removeprefix(FAILED).strip()
            raise CannotStart(reason or f"it {ended(await self.process.wait())} before it was ready")

    async def leave(self, seconds: float) -> None:
        """Let it finish what it has begun; kill it if it hangs."""
        self.is_leaving = True
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            log.warning("a worker hangs and is killed", pid=self.process.pid)
            await self.kill()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Supervisor:
    def __init__(self, settings: Settings, sockets: Sequence[socket], members: Sequence[Member]) -> None:
        self._sockets = sockets
        self._start = Start(settings, [each.fileno() for each in sockets], members)
        self._environment: dict[str, str] = {}
        self._patience = LINGER_SECONDS + settings.shutdown_seconds + GRACE_SECONDS
        self._workers: set[Worker] = set()
        self._exchanging = asyncio.Lock()
        self._early_ends = 0
        self._is_stopping = False

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Have all workers ready and keep them so, until this is left; raise `CannotStart` in a group."""
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryDirectory(prefix="mainsheet-metrics-") as folder:
            self._environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": folder}
            async with asyncio.TaskGroup() as keeping:
                for worker in await self._all_started():
                    keeping.create_task(self._keep(worker))
                loop.add_signal_handler(signal.SIGHUP, lambda: keeping.create_task(self._exchange(keeping)))
                try:
                    yield
                finally:
                    loop.remove_signal_handler(signal.SIGHUP)
                    self._is_stopping = True
                    for each in self._sockets:
                        each.close()  # so that nobody is accepted whom no worker serves
                    await self._dismiss(self._workers)

    async def _all_started(self) -> Sequence[Worker]:
        """Start as many as there should be, or none."""
        tasks = [asyncio.create_task(self._started()) for _ in range(self._start.settings.workers)]
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            started = await asyncio.gather(*tasks, return_exceptions=True)
            await self._dismiss({each for each in started if isinstance(each, Worker)})
            raise

    async def _started(self) -> Worker:
        worker = await Worker.start(self._start, self._environment)
        self._workers.add(worker)
        return worker

    async def _dismiss(self, workers: set[Worker]) -> None:
        await asyncio.gather(*(worker.leave(self._patience) for worker in workers))

    async def _exchange(self, keeping: asyncio.TaskGroup) -> None:
        """Start new workers; when all are ready, let the old ones go. If one can't start, the old ones stay."""
        async with self._exchanging:
            old = set(self._workers)
            try:
                new = await self._all_started()
            except CannotStart as error:
                log.warning("the reload failed, the old workers stay", reason=str(error))
                return
            if self._is_stopping:
                await self._dismiss(set(new))
                return
            for worker in new:
                keeping.create_task(self._keep(worker))
            log.info("reloaded", workers=[worker.process.pid for worker in new])
            await self._dismiss(old)

    async def _keep(self, worker: Worker) -> None:
        """Replace it whenever it ends, until it is told to leave."""
        while True:
            code = await worker.process.wait()
            self._workers.discard(worker)
            if worker.is_leaving or self._is_stopping:
                return
            log.error("a worker died", pid=worker.process.pid, how=ended(code))
            self._count(worker)
            replacement = await self._replacement()
            if replacement is None:
                return
            worker = replacement

    def _count(self, worker: Worker) -> None:
        is_early = monotonic() - worker.born < EARLY_SECONDS
        self._early_ends = self._early_ends + 1 if is_early else 0

    async def _replacement(self) -> Worker | None:
        """Return one that serves, however long it takes; None if nobody is wanted any more."""
        failures = 0
        while True:
            await asyncio.sleep(_pause(self._early_ends))
            if self._is_stopping:
                return None
            try:
                worker = await self._started()
            except CannotStart as error:
                failures += 1
                self._early_ends += 1
                log.warning("a worker can't start", reason=str(error), next_try_in=_pause(self._early_ends))
                if failures >= MOST_FAILURES and not self._workers:
                    raise
                continue
            if not self._is_stopping:
                log.info("a worker was replaced", pid=worker.process.pid)
                return worker
            await worker.leave(self._patience)


def _pause(early_ends: int) -> float:
    """Return 0 after the first one, then twice as long each time."""
    return 0 if early_ends <= 1 else min(MOST_SECONDS_APART, 2.0 ** (early_ends - 2))


def ended(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
