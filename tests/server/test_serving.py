"""What a server sets up around its application: the interpreter's switch interval, and the listening sockets."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
import uvloop

from mainsheet.executor.turns import SLICE
from mainsheet.server.commands.serving import serving
from mainsheet.server.process.listening import Listening, listen
from mainsheet.server.settings import Settings


async def test_the_event_loop_waits_one_slice_for_the_worker_thread(sqlite_url: str) -> None:
    before = sys.getswitchinterval()

    async with serving(Settings(database_url=sqlite_url), Listening([], []), []):
        during = sys.getswitchinterval()

    assert during == pytest.approx(SLICE)
    assert sys.getswitchinterval() == before


def test_several_connections_are_accepted_in_one_iteration_of_the_event_loop(sqlite_url: str) -> None:
    """libuv accepts one for each listening file descriptor: too few while each iteration works for a millisecond."""

    async def open_after(iterations: int) -> int:
        sockets = Listening(listen(["127.0.0.1"], 0, mode=0o660), [])
        address = sockets.api[0].getsockname()
        async with serving(Settings(database_url=sqlite_url), sockets, []):
            clients = [socket.create_connection(address) for _ in range(100)]
            before = _open_files()
            for _ in range(iterations):
                await asyncio.sleep(0)
            accepted = _open_files() - before
            for each in clients:
                each.close()
        sockets.close()
        return accepted

    assert uvloop.run(open_after(iterations=10)) >= 50


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
