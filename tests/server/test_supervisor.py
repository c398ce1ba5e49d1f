"""The supervisor with workers that fail repeatedly. Small programs that start fast stand in for the workers."""

import asyncio
import fcntl
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import click
import pytest
from structlog.testing import capture_logs

from mainsheet.server.commands.serve import supervised
from mainsheet.server.process import supervisor, worker
from mainsheet.server.process.listening import Listening
from mainsheet.server.process.supervisor import MOST_FAILURES, pause
from mainsheet.server.settings import Settings
from tests.server.commands import PATIENCE

WORKER = """
import os, signal, sys

def note(file):
    with open(file, "a") as pids:
        print(os.getpid(), file=pids)

def wait(pipe):
    if os.path.exists(pipe):
        open(pipe).read()

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
sys.stdin.readline()
note("started")
wait("late")
if os.path.exists("broken"):
    print("failed something is broken", flush=True)
    sys.exit(1)
print("ready", flush=True)
if os.path.exists("deadly"):
    sys.exit(7)
note("served")
signal.sigwait({signal.SIGINT})
wait(f"busy-{os.getpid()}")
note("left")
"""

Log = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, "-S", "-c", WORKER))
    monkeypatch.setattr(supervisor, "MOST_SECONDS_APART", 0.01)


@asynccontextmanager
async def two_workers() -> AsyncIterator[tuple[asyncio.Task[None], Log]]:
    """The supervisor's task, and its log."""
    settings = Settings(workers=2, port=0, shutdown_seconds=1)
    with capture_logs() as log:
        task = asyncio.create_task(supervised(settings, Listening.open(settings), [], lambda: None))
        try:
            await _until(lambda: len(_pids()) == 2)
            yield task, log
        finally:
            if not task.cancelling():
                task.cancel()
            await asyncio.wait([task])


def _let(what: str, *, be: bool = True) -> None:
    Path(what).touch() if be else Path(what).unlink()


async def _release(pipe: str) -> None:
    """Wait until a worker waits for this pipe, and let it go on."""
    await asyncio.to_thread(Path(pipe).write_text, "")


def _pids(that: str = "served") -> list[int]:
    """The pids of all workers that have served, except those that died at once; or that started, or left."""
    file = Path(that)
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def _said(log: Log, event: str) -> Log:
    return [each for each in log if each["event"] == event]


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_command_fails_if_no_worker_can_start() -> None:
    async with two_workers() as (task, log):
        _let("broken")
        for pid in _pids():
            os.kill(pid, signal.SIGKILL)

        with pytest.raises(click.ClickException, match=r"^The workers can't start: something is broken$") as end:
            await asyncio.wait_for(task, PATIENCE)

    assert end.value.exit_code == 1
    assert [each["how"] for each in _said(log, "worker died")] == ["was ended by SIGKILL"] * 2
    assert len(_said(log, "worker failed to start")) >= MOST_FAILURES - 1


async def test_the_command_names_a_temporary_folder_that_cant_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    settings = Settings(workers=2, port=0)

    with closing(Listening.open(settings)) as sockets, pytest.raises(click.ClickException) as end:
        await supervised(settings, sockets, [], lambda: None)

    assert end.value.message.startswith("The workers can't start: [Errno 2] No such file or directory: '/nowhere/")


async def test_a_worker_is_retried_while_another_one_serves() -> None:
    async with two_workers() as (task, log):
        _let("broken")
        os.kill(_pids()[0], signal.SIGKILL)
        await _until(lambda: len(_said(log, "worker failed to start")) > 2 * MOST_FAILURES)
        _let("broken", be=False)
        await _until(lambda: bool(_said(log, "worker replaced")))

        assert not task.done()
    assert {each["reason"] for each in _said(log, "worker failed to start")} == {"something is broken"}
    assert [each["pid"] for each in _said(log, "worker replaced")] == _pids()[2:]


async def test_workers_that_die_early_are_always_replaced() -> None:
    async with two_workers() as (task, log):
        _let("deadly")
        for pid in _pids():
            os.kill(pid, signal.SIGKILL)
        await _until(lambda: len(_said(log, "worker died")) > 4 * MOST_FAILURES)
        _let("deadly", be=False)
        await _until(lambda: len(_pids()) == 4)

        assert not task.done()
    assert {each["how"] for each in _said(log, "worker died")} == {"was ended by SIGKILL", "ended with exit code 7"}


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGRTMIN + 1, f"signal {signal.SIGRTMIN + 1}")]
)
async def test_a_worker_that_any_signal_ends_is_replaced(number: int, name: str) -> None:
    async with two_workers() as (task, log):
        os.kill(_pids()[0], number)
        await _until(lambda: task.done() or bool(_said(log, "worker replaced")))

        assert not task.done()
    assert [each["how"] for each in _said(log, "worker died")] == [f"was ended by {name}"]


async def test_a_worker_that_becomes_ready_during_the_stop_is_waited_for() -> None:
    async with two_workers() as (task, _):
        killed, kept = _pids()
        os.mkfifo("late")
        os.kill(killed, signal.SIGKILL)
        await _until(lambda: len(_pids("started")) == 3)
        late = _pids("started")[2]
        for pid in (kept, late):
            os.mkfifo(f"busy-{pid}")

        task.cancel()
        await _release("late")
        await _until(lambda: late in _pids())
        await _release(f"busy-{kept}")
        await _until(lambda: kept in _pids("left"))

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 0.2)
        await _release(f"busy-{late}")
    assert _pids("left") == [kept, late]


async def test_the_folder_of_metrics_is_locked_against_cleaners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with two_workers():
        (folder,) = _files(tmp_path, "mainsheet-metrics-*")
        descriptor = os.open(folder, os.O_RDONLY)

        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


@pytest.mark.usefixtures("_harmless_sigterm")
async def test_a_signal_while_the_workers_start_ends_them_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    settings = Settings(workers=2, port=0)
    os.mkfifo("late")
    with closing(Listening.open(settings)) as sockets, capture_logs() as log:
        task = asyncio.create_task(supervised(settings, sockets, [], lambda: None))
        await _until(lambda: len(_pids("started")) == 2)

        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, PATIENCE)

    assert not any(map(_lives, _pids("started")))
    assert _files(temporary, "*") == []
    assert [each["event"] for each in log] == ["stopping", "stopped"]


def _files(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
def _harmless_sigterm() -> Iterator[None]:
    """Let the signal have no effect but that of the supervisor's handler."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


def test_restart_delays_double_per_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MOST_SECONDS_APART", 30)

    assert [pause(ends) for ends in range(9)] == [0, 0, 1, 2, 4, 8, 16, 30, 30]
