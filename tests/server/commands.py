"""Runs the command `mainsheet`, in this process or in a new one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from click.testing import CliRunner

from mainsheet.server.cli import main
from tests.server.forked import Forked

MAINSHEET = str(Path(sys.executable).with_name("mainsheet"))
PATIENCE = 60
KEPT = {"MAINSHEET_EXECUTOR"}  # the whole suite passes with either
MOST_SHOWN = 10_000  # characters of a log
UNHURRIED = {"MAINSHEET_QUEUE_SECONDS": "10"}  # a busy machine lets requests wait for longer than the default


def mainsheet(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        command = [MAINSHEET, *arguments]
        with Forked(command, clean(environment), stdout.fileno(), stderr.fileno()) as process:
            try:
                code = process.wait(PATIENCE)
            finally:
                process.kill()
        for each in (stdout, stderr):
            each.seek(0)
        return subprocess.CompletedProcess(command, code, stdout.read(), stderr.read())


def invoke(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which saves the imports. Unexpected errors are raised."""
    cleared = dict.fromkeys(name for name in os.environ if name not in clean({}))
    result = CliRunner(env={**cleared, **clean(environment)}).invoke(main, arguments, prog_name="mainsheet")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def expect_no_traceback(log: str) -> None:
    """Fail with the first difference and its context: pytest would show only the start of a long text."""
    before, is_there, after = log.partition("Traceback")
    if is_there:
        raise AssertionError(f"{before[-MOST_SHOWN // 10 :]}{is_there}{after[:MOST_SHOWN]}")


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with these settings and the executor's, and without all others of ours."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith("MAINSHEET_")}
    return {**kept, "MAINSHEET_LOG_LEVEL": "warning", **environment}


@dataclass
class Serving:
    process: Forked
    lines: IO[str]
    url: str
    tokens: dict[str, str]
    commands: dict[str, str]
    admin_url: str

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    *arguments: str, environment: Mapping[str, str] | None = None, log: IO[str] | None = None
) -> Iterator[Serving]:
    """Start the server on a free port and read what it prints until it serves."""
    command = [MAINSHEET, "serve", "--port", "0", *arguments]
    read, written = os.pipe()
    with os.fdopen(read, encoding="utf-8") as lines:
        process = Forked(command, clean({**UNHURRIED, **(environment or {})}), written, log.fileno() if log else None)
        os.close(written)
        with process:
            try:
                yield _introduced(process, lines)
            except BaseException as error:
                if log:
                    error.add_note(f"The server's log ends:\n{Path(log.name).read_text('utf-8')[-MOST_SHOWN:]}")
                raise
            finally:
                process.kill()


def _introduced(process: Forked, lines: IO[str]) -> Serving:
    tokens: dict[str, str] = {}
    commands: dict[str, str] = {}
    member = admin_url = ""
    for line in lines:
        match line.strip().split(maxsplit=1):
            case ["token", secret]:
                tokens[member] = secret
            case ["try", command]:
                commands[member] = command
            case ["Serving", url]:
                return Serving(process, lines, url, tokens, commands, admin_url)
            case ["Health", text]:
                admin_url = text.split()[-1]
            case [word, *_] if "@" in word:
                member = word
    raise AssertionError("it ended before it served")
