"""`mainsheet serve` as a process that can be killed and restarted."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from aiohttp import ClientSession, ClientTimeout

from tests.server.commands import MAINSHEET, MOST_SHOWN, PATIENCE, UNHURRIED, clean, expect_no_traceback

LOOK_SECONDS = 0.02


@dataclass
class Proxied:
    """Servers behind a proxy with this URL."""

    url: str


@dataclass
class Server:
    options: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path  # of all its processes
    command: tuple[str, ...] = (MAINSHEET,)
    url: str = ""
    process: Process | None = None

    async def start(self) -> None:
        """Start the server on a free port and wait until it serves."""
        with self.log.open("ab") as errors:
            self.process = await asyncio.create_subprocess_exec(
                *(*self.command, "serve", "--port", "0", *self.options),
                env=self.environment,
                stdout=PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C goes to pytest, which then stops the server
            )
        async with asyncio.timeout(PATIENCE):
            self.url = await _url(self.process)

    async def kill(self) -> None:
        """Kill the server and its workers immediately."""
        if self.process and self.process.returncode is None:
            for pid in (*_children(self.process.pid), self.process.pid):
                os.kill(pid, signal.SIGKILL)
            await self.process.wait()

    async def stop(self) -> int:
        assert self.process
        self.process.terminate()
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    def reload(self) -> None:
        """Let the supervisor replace all workers. Without workers there is none."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    async def status(self, path: str) -> int:
        async with (
            ClientSession(timeout=ClientTimeout(PATIENCE)) as http,
            http.get(urljoin(self.url, path)) as response,
        ):
            return response.status

    async def ready(self) -> None:
        """Wait until the server is ready."""
        async with asyncio.timeout(PATIENCE):
            while await self.status("/readyz") != 200:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)

    async def pid(self) -> int:
        """Return the process id of the worker that answers."""
        async with ClientSession() as http, http.get(urljoin(self.url, "/livez")) as response:
            return int((await response.json())["pid"])

    async def kill_a_worker(self, of: int) -> None:
        """Kill the oldest worker as soon as there are this many."""
        assert self.process
        async with asyncio.timeout(PATIENCE):
            while True:
                workers = _children(self.process.pid)
                if len(workers) == of:
                    return os.kill(workers[0], signal.SIGKILL)
                await asyncio.sleep(LOOK_SECONDS)


ONE_ORGANIZATION: dict[str, object] = {"organization_share": 1}


def serving(database_url: str, log: Path, *options: str, **settings: object) -> AbstractAsyncContextManager[Server]:
    """Serve the database with these settings. At the end, assert that no unexpected error was logged."""
    return serving_by((MAINSHEET,), database_url, log, *options, **settings)


@asynccontextmanager
async def serving_by(
    command: tuple[str, ...], database_url: str, log: Path, *options: str, **settings: object
) -> AsyncIterator[Server]:
    """Serve the database by a command in the place of `mainsheet`."""
    variables = {f"MAINSHEET_{name.upper()}": str(value) for name, value in (ONE_ORGANIZATION | settings).items()}
    server = Server(("--database-url", database_url, *options), clean({**UNHURRIED, **variables}), log, command)
    try:
        await server.start()
        yield server
    except BaseException as error:
        error.add_note(f"The server's log ends:\n{_text(log)[-MOST_SHOWN:]}")
        raise
    finally:
        await server.kill()
    expect_no_traceback(_text(log))


async def _url(process: Process) -> str:
    assert process.stdout
    async for line in process.stdout:
        if line.startswith(b"Serving "):
            return line.split()[1].decode()
    raise AssertionError("it ended before it served")


def _text(log: Path) -> str:
    return log.read_text("utf-8")


def _children(pid: int) -> list[int]:
    """Linux lists them with the oldest first."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
