"""The files of the workers' metrics: each worker has its own, and those of workers that ended are merged.

A lock keeps a worker from reading them while they are merged.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ENDED = "ended"  # in the place of a process id
KINDS = ("counter", "histogram")  # gauges end with their process
MOST_AROUND_KEY = 28  # bytes in a file: the key's length and padding, the value and its time


class MetricsFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: set[int] = set()  # whose files aren't merged yet

    @classmethod
    def of_environment(cls) -> "MetricsFiles | None":
        """Return those of the supervisor that started this process, if any did."""
        folder = os.environ.get(VARIABLE)
        return cls(Path(folder)) if folder else None

    def text(self) -> bytes:
        """Return the sums over all workers, as Prometheus reads them. Blocks."""
        with self._locked(fcntl.LOCK_SH):
            registry = CollectorRegistry()
            registry.register(_Begun(self._folder))
            return generate_latest(registry)

    def values_of_ended(self, metric: str, label: str) -> set[str]:
        """Return the values that a label of a histogram had in workers that ended."""
        with self._locked(fcntl.LOCK_SH):
            keys = [json.loads(key) for key in _values(self._file("histogram", ENDED))]
        return {labels[label] for name, _, labels, _ in keys if name == metric}

    def end(self, pid: int) -> None:
        """Forget the gauges of a worker that ended, and merge its counts, which remain.

        If a worker is reading, or the disk is full, they are merged when the next worker ends: the supervisor neither
        waits for a worker nor fails.
        """
        mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]  # has no annotations
        self._ended.add(pid)
        try:
            with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                for each in list(self._ended):
                    self._merge(each)
                    self._ended.discard(each)
        except OSError:
            return

    def _merge(self, pid: int) -> None:
        for kind in KINDS:
            file = self._file(kind, pid)
            _add(_values(file), self._file(kind, ENDED))
            file.unlink(missing_ok=True)

    def _file(self, kind: str, pid: int | str) -> Path:
        return self._folder / f"{kind}_{pid}.db"

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, how)
            yield


class _Begun(Collector):
    """Collects from all files but the empty ones, which a worker has just made: the library can't read those."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(each) for each in self._folder.glob("*.db") if _size(each)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # has no annotations
        return metrics


def _size(file: Path) -> int:
    """Return the size in bytes, 0 without a file: the gauges of a worker that ends are removed at any time."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _values(file: Path) -> dict[str, float]:
    """Return the values in a file. There are none if the worker was killed before it began to write."""
    if not _size(file):
        return {}
    values = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]  # has no annotations
    return {key: value for key, value, _, _ in values}


def _add(values: dict[str, float], file: Path) -> None:
    size = 8 + sum(len(key.encode()) + MOST_AROUND_KEY for key in _values(file) | values)
    with file.open("ab") as opened:
        os.posix_fallocate(opened.fileno(), 0, size)  # a map of a file that the disk has no space for ends the process
    sums = MmapedDict(str(file))  # type: ignore[no-untyped-call]  # has no annotations
    for key, value in values.items():
        sums.write_value(key, sums.read_value(key)[0] + value, 0)  # type: ignore[no-untyped-call]
    sums.close()  # type: ignore[no-untyped-call]
