"""Programs of the system that tests start."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import NoReturn

import pytest

from testbed.postgres import UNPRIVILEGED

SECONDS_TO_STOP = 10


def not_here(reason: str) -> NoReturn:
    """Skip the test; in CI, where the variable CI is set, fail it."""
    (pytest.fail if "CI" in os.environ else pytest.skip)(reason)


def installed(name: str) -> str:
    """Return the program's path. The test can't run without it."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    return path or not_here(f"{name} isn't installed: Debian has it")


@contextmanager
def running(command: Sequence[str | Path], folder: Path, is_ready: bytes, enter: Sequence[str] = ()) -> Iterator[None]:
    """Run a program in its folder inside this context, and never as root. It is ready when a line of stderr says so.

    `enter` is the command that runs it on another host, as an unprivileged user.
    """
    user = None if os.geteuid() else UNPRIVILEGED
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [*enter, *command], cwd=folder, env=environment, stderr=subprocess.PIPE, user=None if enter else user
    ) as process:
        assert process.stderr
        reader = Thread(target=process.stderr.read)  # if nobody reads, the program waits as soon as the pipe is full
        try:
            _wait(process, is_ready)
            reader.start()
            yield
        finally:
            process.terminate()
            _end(process)
            if reader.ident is not None:
                reader.join()


def _wait(process: subprocess.Popen[bytes], is_ready: bytes) -> None:
    assert process.stderr
    lines = []
    for line in process.stderr:
        if is_ready in line:
            return
        lines.append(line.decode())
    raise RuntimeError(f"{process.args!r} ended: {''.join(lines)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
