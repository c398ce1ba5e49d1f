"""The costs as Markdown: milliseconds beside the fewest jobs, and how many times as much beside more."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median

from benchmarks.growth.costs import Cost


def table(costs: Sequence[Cost]) -> str:
    return "\n".join(_lines(costs)) + "\n"


def _lines(costs: Sequence[Cost]) -> Iterator[str]:
    places = list(dict.fromkeys((each.kind, each.size) for each in costs))
    yield from ("# What an operation costs as jobs grow", "")
    yield from EXPLAINED
    yield from ("", f"Written on {datetime.now(UTC):%-d %B %Y} by `python -m benchmarks.growth`.")
    for group in dict.fromkeys(each.group for each in costs):
        yield from ("", f"## {group}", "", f"| | as | {' | '.join(f'{kind}, {size:,}' for kind, size in places)} |")
        yield f"|---|---|{'---:|' * len(places)}"
        medians = _medians(each for each in costs if each.group == group)
        for name, role in dict.fromkeys((each.name, each.role) for each in costs if each.group == group):
            yield f"| {name} | {role} | {' | '.join(_cells(medians, places, name, role))} |"


def _cells(
    medians: dict[tuple[str, str, str, int], float], places: Sequence[tuple[str, int]], name: str, role: str
) -> Iterator[str]:
    smallest = {kind: min(size for each, size in places if each == kind) for kind, _ in places}
    for kind, size in places:
        milliseconds = medians[name, role, kind, size]
        ratio = milliseconds / medians[name, role, kind, smallest[kind]]
        yield f"{milliseconds:.2f} ms" if size == smallest[kind] else f"{milliseconds:.2f} ms, {ratio:.1f}"


def _medians(costs: Iterable[Cost]) -> dict[tuple[str, str, str, int], float]:
    found: dict[tuple[str, str, str, int], list[float]] = {}
    for each in costs:
        found.setdefault((each.name, each.role, each.kind, each.size), []).append(each.cpu_ms)
    return {key: median(values) for key, values in found.items()}


EXPLAINED = (
    "CPU milliseconds of one operation, of this process and of PostgreSQL's together: the median of rounds that",
    "ask every database in turn. Behind the comma how many times that is what it costs beside the fewest jobs.",
    "`member` is in 50 teams, or in all where there are fewer; `admin` sees every job.",
    "",
    "These grow with what they read, by their nature: totals and facets with the list, numbered pages with the number,",
    "and a page of a filter with its matches where no index has them in the order of the list, as for search. Of a",
    "member who sees few of the jobs, a page by creation checks these until it is full. In other orders, a page of a",
    "member is scanned in the order of the list: the smaller the member's share of the jobs, the more are read.",
    "A page of events by `teamIds` reads 3,000 events, then all of the teams if these don't fill it. On SQLite, a page",
    "by `teamIds` or times reads the feed until it is full. The generated events aren't in the order of their times.",
)
