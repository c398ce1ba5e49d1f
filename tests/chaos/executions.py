"""What the notes of the workers say about the executions of runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass
class Execution:
    run_id: str
    attempt: int
    start: float
    stop: float
    is_done: bool = False


@dataclass(frozen=True)
class Executions:
    """All executions, of which those of a killed process stopped when it was killed."""

    all: list[Execution]

    @property
    def repeated(self) -> list[tuple[str, int]]:
        """The runs with the attempts that were executed more than once."""
        times = Counter((each.run_id, each.attempt) for each in self.all)
        return [key for key, count in times.items() if count > 1]

    @property
    def overlapping(self) -> list[tuple[Execution, Execution]]:
        """The executions of one run at the same time."""
        by_run = defaultdict(list)
        for each in sorted(self.all, key=lambda each: each.start):
            by_run[each.run_id].append(each)
        return [(one, other) for own in by_run.values() for one, other in pairwise(own) if other.start < one.stop]

    @property
    def done(self) -> set[tuple[str, int]]:
        return {(each.run_id, each.attempt) for each in self.all if each.is_done}


def executions(notes: Iterable[bytes], killed_at: Mapping[int, float]) -> Executions:
    """Read the notes. `killed_at` has the times of the killed processes."""
    found: list[Execution] = []
    current: dict[tuple[int, str, str], Execution] = {}
    for pid, moment, what, run_id, attempt in _read(notes):
        key = (pid, run_id, attempt)
        if what == "start":
            current[key] = Execution(run_id, int(attempt), moment, killed_at.get(pid, float("inf")))
            found.append(current[key])
        elif what == "done":
            current[key].is_done = True
        else:
            current[key].stop = moment
    return Executions(found)


def _read(notes: Iterable[bytes]) -> Iterator[tuple[int, float, str, str, str]]:
    for note in notes:
        pid, moment, what, run_id, attempt = note.decode().split()
        yield int(pid), float(moment), what, run_id, attempt
