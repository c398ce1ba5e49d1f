"""Commands whose standard streams are closed or can't be written."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.server.commands import MAINSHEET, PATIENCE, clean

ADMIN = "admin@harbor.example"
WRITING = [
    ("db", "status"),
    ("db", "backup", "--force", "{folder}/copy"),
    ("token", "create", "--member", ADMIN),
    ("settings",),
    ("schema", "print"),
    ("jobs", "schema"),
    ("--help",),
]


def run(url: str, *command: str, stdout: int = subprocess.PIPE) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env=clean({"MAINSHEET_DATABASE_URL": url}),
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdout=stdout,
    )
    return done.returncode, done.stderr


def written(command: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    return MAINSHEET, *(each.format(folder=folder) for each in command)


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_output_that_has_no_room_is_one_line(sqlite_demo_url: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = run(sqlite_demo_url, *written(command, tmp_path), stdout=full.fileno())

    assert ended == (1, "Error: The output can't be written: No space left on device\n")


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_output_to_a_closed_pipe_ends_quietly(sqlite_demo_url: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    ended = run(sqlite_demo_url, *written(command, tmp_path), stdout=writer)
    os.close(writer)

    assert ended == (1, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "seed", "--jobs", "1")], ids=" ".join)
def test_a_command_may_have_closed_streams(sqlite_url: str, closed: str, command: tuple[str, ...]) -> None:
    assert run(sqlite_url, "sh", "-c", f'exec "$0" "$@" {closed}', MAINSHEET, *command) == (0, "")
