"""The comparison detects the faults that it is made to detect."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from testbed.databases import sqlite_database
from tests.chaos.comparison import Findings, compare
from tests.chaos.crowd import Crowd, crowd_at
from tests.chaos.server import serving

LAST = "(SELECT max(id) FROM event WHERE action = 'JOB_UPDATED')"
HALVES = {
    "an event is gone": "DELETE FROM event WHERE id = (SELECT max(id) FROM event WHERE action = 'DRAFT_UPDATED')",
    "a revision": "UPDATE job SET revision = revision + 1",
    "a pointer": "UPDATE job SET current_number = 1 WHERE current_number > 1",
    "a configuration": 'UPDATE job_version SET environment = \'[{"name": "MARK", "value": "x"}]\'',
    "a grant": "DELETE FROM job_team",
    "a link": "UPDATE job_team SET team_id = 'TMX' WHERE rowid = (SELECT min(rowid) FROM job_team)",
    "a key's work": "UPDATE idempotency_record SET key = key || 'x'",
    "a key's answer": "UPDATE idempotency_record SET answer = '{}'",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> AsyncIterator[tuple[Crowd, Path]]:
    """A crowd after its work, with its database."""
    folder = tmp_path_factory.mktemp("quiet")
    url = sqlite_database(folder, sqlite_template)
    async with crowd_at(url) as crowd, serving(url, folder / "log") as server:
        async with crowd.at_work(server):
            await crowd.changes(60)
        await server.stop()
        yield crowd, Path(url.removeprefix("sqlite:///"))


async def found(quiet: tuple[Crowd, Path], tmp_path: Path, *statements: str) -> Findings:
    """Change the database and return the comparison's findings."""
    crowd, file = quiet
    copy = shutil.copy(file, tmp_path / "copy.sqlite3")
    with closing(sqlite3.connect(copy)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    return await compare(f"sqlite:///{copy}", crowd.ledger, crowd.steps.team_id)


async def test_the_comparison_accepts_a_correct_history(quiet: tuple[Crowd, Path], tmp_path: Path) -> None:
    findings = await found(quiet, tmp_path)

    assert quiet[0].ledger.done.total() >= 60
    assert (findings.lost, findings.unasked, findings.halves) == ([], [], [])


async def test_the_comparison_finds_a_lost_change(quiet: tuple[Crowd, Path], tmp_path: Path) -> None:
    findings = await found(quiet, tmp_path, f"DELETE FROM event WHERE id = {LAST}")

    assert len(findings.lost) == 1


async def test_the_comparison_finds_an_unknown_change(quiet: tuple[Crowd, Path], tmp_path: Path) -> None:
    findings = await found(quiet, tmp_path, f"UPDATE event SET message = 'nobody' WHERE id = {LAST}")

    assert [each.mark for each in findings.unasked] == ["nobody"]


@pytest.mark.parametrize("half", HALVES)
async def test_the_comparison_finds_a_partial_change(quiet: tuple[Crowd, Path], tmp_path: Path, half: str) -> None:
    findings = await found(quiet, tmp_path, HALVES[half])

    assert findings.halves
