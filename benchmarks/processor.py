"""CPU time of other processes, from the kernel's clock of each: nanoseconds, all threads, also those that ended."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CPUCLOCK_SCHED = 2
ALL = sorted(os.sched_getaffinity(0))  # the CPUs of this process, before it is bound to one


def seconds(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)  # what the C library's clock_getcpuclockid() makes


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(now - before.get(pid, 0) for pid, now in after.items())


def tree(root: int) -> dict[int, float]:
    """Return the CPU seconds of a process and of all that descends from it."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, reached = {}, [root]
    while reached:
        pid = reached.pop()
        reached += children.get(pid, [])
        try:
            found[pid] = seconds(pid)
        except OSError:  # it has just ended
            continue
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                yield int(folder.name), parent(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                continue


@contextmanager
def started_on(cpu: int) -> Iterator[None]:
    """Let this process and what it starts run on one CPU only, where there are more. At the end, it is as before."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {ALL[cpu % len(ALL)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)
