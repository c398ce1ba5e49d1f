"""The files of the metrics of workers, of which some ended."""

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from prometheus_client import values

from mainsheet.models.instrumentation import OperationRecord
from mainsheet.server.observe.metrics import MOST_NAMES, Metrics
from mainsheet.server.observe.metrics_files import VARIABLE, MetricsFiles
from mainsheet.server.process import worker as process
from mainsheet.server.process.worker import FAILED, READY, CannotStart, Start, Worker
from mainsheet.server.settings import Settings
from tests.live.conftest import PATIENCE
from tests.observe.test_metrics import Scrape

COUNTED = "mainsheet_operation_seconds_count"
GAUGES = """
import signal, sys
from mainsheet.server.observe.metrics import Metrics
metrics = Metrics()
metrics.gauges.processes.set(1)
metrics.starts.labels("start").inc()
print(sys.argv[1], flush=True)
signal.pause()
"""


Count = Callable[..., int]


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """Count operations with these names as a process of its own would do, and return its id."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    pids = count(start=2)

    def counted(*names: str) -> int:
        pid = next(pids)
        monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue(lambda: pid))  # type: ignore[no-untyped-call]  # has no annotations
        metrics = Metrics()
        metrics.gauges.processes.set(1)
        metrics.starts.labels("start").inc()
        for name in names:
            metrics.operated(OperationRecord("", name, "query", seconds=0.01))
        return pid

    yield counted
    values.close_all_multiprocess_files()  # type: ignore[no-untyped-call]


def test_the_counts_of_ended_workers_are_kept_in_one_file_of_each_kind(tmp_path: Path, worker: Count) -> None:
    files, pids = MetricsFiles(tmp_path), [worker("Me", "Me", f"Name{number}") for number in range(3)]
    before = files.text()
    (tmp_path / "counter_1.db").touch()  # of a worker that was killed as it began

    for each in (1, *pids[:2], *pids[:2]):
        files.end(each)
    metrics = Scrape(files.text().decode())

    assert sorted(each.name for each in tmp_path.glob("*_*.db") if not each.name.startswith("gauge")) == sorted(
        f"{kind}_{whose}.db" for kind in ("counter", "histogram") for whose in ("ended", pids[2])
    )
    assert metrics("mainsheet_processes") == 1
    assert counts(files.text()) == counts(before)
    assert metrics(COUNTED, operation="Me", type="query", outcome="ok") == 6
    assert metrics("mainsheet_process_starts_total", reason="start") == 3


def counts(text: bytes) -> set[str]:
    return {line for line in text.decode().splitlines() if line.startswith(("mainsheet_process_st", "mainsheet_oper"))}


def test_ended_workers_are_merged_when_nobody_reads(tmp_path: Path, worker: Count) -> None:
    files, first, second = MetricsFiles(tmp_path), worker("Me"), worker("Me")

    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        files.end(first)
        assert (tmp_path / f"counter_{first}.db").exists()
    files.end(second)

    assert {each.name for each in tmp_path.glob("*.db")} == {"counter_ended.db", "histogram_ended.db"}
    assert Scrape(files.text().decode())(COUNTED, operation="Me", type="query", outcome="ok") == 2


def test_workers_that_follow_each_other_keep_the_same_names(tmp_path: Path, worker: Count) -> None:
    files, names = MetricsFiles(tmp_path), [f"Name{number}" for number in range(2 * MOST_NAMES)]
    files.end(worker(*names[:MOST_NAMES]))
    files.end(worker("Name0", *names[MOST_NAMES:]))

    assert files.values_of_ended("mainsheet_operation_seconds", "operation") == {*names[:MOST_NAMES], "other"}
    assert Scrape(files.text().decode())(COUNTED, operation="other", type="query", outcome="ok") == MOST_NAMES


@pytest.mark.parametrize("said", [f"{FAILED} to start", READY])
async def test_a_worker_that_never_served_leaves_no_gauges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", GAUGES, said))
    gauges, environment = partial(tmp_path.glob, "gauge_*"), {**os.environ, VARIABLE: str(tmp_path)}
    start, end = Start(Settings(), [], []), MetricsFiles(tmp_path).end

    if said != READY:
        with pytest.raises(CannotStart):
            await Worker.start(start, environment, end)
    else:
        started = await Worker.start(start, environment, end)
        assert [*gauges()] != []
        await started.leave(PATIENCE, signal.SIGINT)

    assert [*gauges()] == []


def test_files_that_a_worker_has_just_made_are_ignored(tmp_path: Path, worker: Count) -> None:
    worker("Me")
    for kind in ("counter", "histogram", "gauge_livesum"):
        (tmp_path / f"{kind}_999.db").touch()

    scrape = Scrape(MetricsFiles(tmp_path).text().decode())

    assert scrape(COUNTED, operation="Me", type="query", outcome="ok") == 1
