"""A full disk under SQLite: clients get errors, data stays consistent, and writes resume with free space."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.conftest import Verdict
from tests.chaos.crowd import Scale, crowd_at
from tests.chaos.disk import Disk, small_disk
from tests.chaos.ledger import Result
from tests.chaos.server import serving

TURNED_AWAY = 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid():
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder) as disk:
        yield disk


async def test_a_full_disk_keeps_the_database_consistent(
    disk: Disk, sqlite_template: Path, tmp_path: Path, scale: Scale, verdict: Verdict
) -> None:
    file = Path(shutil.copy(sqlite_template, disk.folder / "full.sqlite3"))
    url = f"sqlite:///{file}"
    async with (
        crowd_at(url) as crowd,
        serving(url, tmp_path / "log") as server,
        crowd.at_work(server),
    ):
        async for _ in crowd.rounds(scale):
            disk.fill()
            await crowd.failures(TURNED_AWAY)
            assert integrity(file) == "ok"
            assert await crowd.clients[0].read("JB0") is Result.DONE
            disk.clear()

    assert integrity(file) == "ok"
    assert "failure=DiskFull" in (tmp_path / "log").read_text("utf-8")
    await verdict("disk full", url, crowd, scale.times, {Result.UNAVAILABLE})


def integrity(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
