"""Faults injected into real processes: in short by `make interop`, in full by `make chaos`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from testbed.databases import execute, migrated
from testbed.postgres import DURABLE, Postgres, own_postgres
from tests.chaos.comparison import compare
from tests.chaos.crowd import Crowd, Scale
from tests.chaos.ledger import Result
from tests.chaos.outcomes import ABOUT, Outcome, table

SCALE_VARIABLE = "TEST_CHAOS"
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "chaos.md"
OUTCOMES = pytest.StashKey[list[Outcome]]()


@pytest.fixture(scope="session")
def scale() -> Scale:
    return Scale(10, 100, 60) if is_full() else Scale(1, 40, 3)


def is_full() -> bool:
    return os.environ.get(SCALE_VARIABLE) == "full"


@dataclass(frozen=True)
class Verdict:
    """Compares clients' responses with what is stored after a fault, and keeps a row for the table.

    No client may be at work. The next row counts from 0.
    """

    outcomes: list[Outcome]

    async def __call__(self, fault: str, url: str, crowd: Crowd, times: int, failures: set[Result]) -> None:
        ledger = crowd.ledger
        found = await compare(url, ledger, crowd.steps.team_id)
        self.outcomes.append(
            Outcome(
                fault=fault,
                database=make_url(url).get_backend_name(),
                injected=times,
                answered=sum(ledger.answers[each] for each in Result if each.is_answer),
                acknowledged=ledger.acknowledged,
                failed=", ".join(f"{count} {each}" for each, count in ledger.failures.items()) or "0",
                no_retry_after=ledger.answers[Result.UNHINTED],
                lost=len(found.lost),
                half_written=len(found.halves) + len(found.unasked),
            )
        )
        assert ledger.surprises == []
        assert (found.lost, found.unasked, found.halves) == ([], [], [])
        assert set(ledger.failures) <= failures
        ledger.reset_counts()


@pytest.fixture
def verdict(pytestconfig: pytest.Config) -> Verdict:
    return Verdict(pytestconfig.stash.setdefault(OUTCOMES, []))


@dataclass(frozen=True)
class Durable:
    """A migrated database on a PostgreSQL of our own with durable commits."""

    server: Postgres
    url: str


@pytest.fixture(scope="session")
def durable_server() -> Iterator[Postgres]:
    with own_postgres(DURABLE) as server:
        yield server


@pytest.fixture
async def durable(durable_server: Postgres) -> Durable:
    name = f"mainsheet_{uuid4().hex[:12]}"
    await execute(durable_server.url, f"CREATE DATABASE {name}")  # removed with the server
    url = make_url(durable_server.url).set(database=name).render_as_string(hide_password=False)
    return Durable(durable_server, await migrated(url))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if outcomes := config.stash.get(OUTCOMES, []):
        terminalreporter.section("faults and outcomes")
        terminalreporter.write(table(outcomes))
        if is_full():
            RESULTS.write_text(ABOUT + table(outcomes, RESULTS.read_text("utf-8") if RESULTS.exists() else ""), "utf-8")
