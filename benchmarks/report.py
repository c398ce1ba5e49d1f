"""The samples as Markdown: one table of medians to read, one for each workload to check them by."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks.facts import Facts
from benchmarks.measure import Sample
from benchmarks.workloads import WORKLOADS, Workload

Value = Callable[[Sample], float]
YARDSTICK = "hand"


def server(sample: Sample) -> float:
    return sample.server_ms


def database(sample: Sample) -> float:
    return sample.database_ms


def both(sample: Sample) -> float:
    return sample.server_ms + sample.database_ms


def p50(sample: Sample) -> float:
    return sample.p50_ms


def middle(samples: Sequence[Sample], name: str, workload: Workload, value: Value) -> float:
    return median(values(samples, name, workload, value))


def values(samples: Sequence[Sample], name: str, workload: Workload, value: Value) -> list[float]:
    return [value(each) for each in samples if (each.server, each.workload) == (name, workload.name)]


def report(facts: Facts, samples: Sequence[Sample], picture: str) -> str:
    return "\n".join(
        [
            f"# {facts.date}",
            "",
            "CPU milliseconds per request: of the server's processes / of PostgreSQL's.",
            "",
            *_overview(facts, samples),
            "",
            f"![The same as a plot]({picture})",
            "",
            *[f"- {line}" for line in facts.lines],
            *[line for workload in WORKLOADS for line in _details(facts, samples, workload)],
            "",
        ]
    )


def _overview(facts: Facts, samples: Sequence[Sample]) -> Iterator[str]:
    yield f"| server | {' | '.join(each.title for each in WORKLOADS)} |"
    yield f"|---|{'---|' * len(WORKLOADS)}"
    for name, title in facts.titles.items():
        cells = [
            " / ".join(short(middle(samples, name, workload, value)) for value in (server, database))
            for workload in WORKLOADS
        ]
        yield f"| {title} | {' | '.join(cells)} |"


def _details(facts: Facts, samples: Sequence[Sample], workload: Workload) -> Iterator[str]:
    """Say of each server the spread too, and how it compares with the yardstick, if that was measured."""
    yield from ("", f"## {workload.title}", "")
    yield f"| server | server CPU, ms (range) | database CPU, ms (range) | sum, ms | server / {YARDSTICK} | p50, ms |"
    yield "|---|---|---|---|---|---|"
    for name, title in facts.titles.items():
        times = "-"
        if YARDSTICK in facts.titles:
            ratio = middle(samples, name, workload, server) / middle(samples, YARDSTICK, workload, server)
            times = f"{ratio:.2f}"
        cells = [
            title,
            _spread(values(samples, name, workload, server)),
            _spread(values(samples, name, workload, database)),
            short(middle(samples, name, workload, both)),
            times,
            short(middle(samples, name, workload, p50)),
        ]
        yield f"| {' | '.join(cells)} |"


def _spread(found: Sequence[float]) -> str:
    return f"{short(median(found))} ({short(min(found))} - {short(max(found))})"


def short(milliseconds: float) -> str:
    """Round to what the measurement can tell: three digits, two of them decimals at most."""
    return f"{milliseconds:.{2 if milliseconds < 10 else 1 if milliseconds < 100 else 0}f}"  # noqa: PLR2004
