"""A worker process, from the supervisor's side: start it, wait until it is ready, stop it."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal, TextIO

import orjson
import structlog

from mainsheet.server.http.playground import Member
from mainsheet.server.settings import Settings

READY, FAILED = "ready", "failed"
COMMAND = (sys.executable, "-P", "-m", "mainsheet.server.commands.worker")
START_SECONDS = 120
Reason = Literal["start", "reload", "replacement"]

log = structlog.stdlib.get_logger("mainsheet.supervisor")


class CannotStart(Exception):
    """A worker ended before it was ready. The message gives the reason."""


@dataclass(frozen=True)
class Start:
    """A worker's start parameters, sent to it as one line of JSON."""

    settings: Settings
    sockets: Sequence[Sequence[int]]  # see `Listening.numbers`
    members: Sequence[Member]
    reason: Reason = "start"

    def line(self) -> bytes:
        parameters = {
            "settings": self.settings.model_dump(mode="json"),
            "sockets": self.sockets,
            "members": self.members,
            "reason": self.reason,
        }
        return orjson.dumps(parameters) + b"\n"

    @classmethod
    def read(cls, stream: TextIO) -> "Start":
        parameters = orjson.loads(stream.readline())
        settings = Settings(**parameters["settings"])
        return cls(
            settings, parameters["sockets"], parameters["members"], parameters.get("reason", "start")
        )  # an older supervisor sends none


@dataclass(eq=False)
class Worker:
    process: asyncio.subprocess.Process
    born: float
    ended: Callable[[int], None]  # is called with the process id of a worker that ended, at least once
    is_leaving: bool = False

    @classmethod
    async def start(cls, start: Start, environment: dict[str, str], ended: Callable[[int], None]) -> "Worker":
        """Start a worker and return it when it is ready. Raises `CannotStart`."""
        try:
            worker = cls(await _process(start, environment), monotonic(), ended)
        except OSError as error:
            raise CannotStart(str(error)) from error
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker._ready(start)
        except TimeoutError:
            await worker.kill()
            raise CannotStart(f"it wasn't ready after {START_SECONDS} seconds") from None
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
            raise CannotStart(reason or f"it {ended(await self.end())} before it was ready")

    async def leave(self, seconds: float, by: signal.Signals) -> None:
        """Ask the worker to finish its requests and stop: at once with SIGINT. Kill it if it hangs.

        A worker that was asked before is only waited for: a second signal would cut its requests off.
        """
        if self.process.returncode is None and not self.is_leaving:
            self.process.send_signal(by)
        self.is_leaving = True
        try:
            async with asyncio.timeout(seconds):
                await self.end()
        except TimeoutError:
            log.warning("worker killed: it hung", pid=self.process.pid)
            await self.kill()

    async def end(self) -> int:
        """Wait for the worker's end, and return its exit code."""
        code = await self.process.wait()
        self.ended(self.process.pid)
        return code

    async def kill(self) -> None:
        """Kill the worker and wait for its end, which comes at once, even if this is cancelled meanwhile."""
        if self.process.returncode is None:
            self.process.kill()
        end = asyncio.ensure_future(self.end())
        try:
            await asyncio.shield(end)
        except asyncio.CancelledError:
            await end
            raise


async def _process(start: Start, environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=[each for kind in start.sockets for each in kind],
        env=environment,
        start_new_session=True,  # Ctrl-C goes to the supervisor, which stops the workers
    )


def ended(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    """Return the name, which most real-time signals don't have."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
