"""Starts commands as forks of a process that has imported them, by `tests/server/fork_server.py`."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER = Path(__file__).with_name("fork_server.py")


class Forked:
    """A process, with the methods that tests use of `subprocess.Popen`."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int, stderr: int | None = None
    ) -> None:
        self.returncode: int | None = None
        self._arguments = arguments
        self._status, theirs = socket.socketpair()
        ignored = [each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN]
        asked = {
            "arguments": arguments,
            "folder": str(Path.cwd()),
            "environment": environment,
            "ignored_signals": ignored,
        }
        with theirs:
            descriptors = [theirs.fileno(), stdout, 2 if stderr is None else stderr]
            socket.send_fds(_server()[0], [json.dumps(asked).encode()], descriptors)
        self._lines = self._status.makefile()
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
            self.returncode = int(self._lines.readline())
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wait()
        self._lines.close()
        self._status.close()


@cache
def _server() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Return the socket for requests and the process, which ends with this one."""
    requests, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-P", str(SERVER), str(theirs.fileno())]
        return requests, subprocess.Popen(command, pass_fds=[theirs.fileno()])
