"""Writes the table of faults and their results."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

ABOUT = """\
# Faults and their results

By `make chaos`: real processes, eight clients that change the same few jobs (sixteen in the load without a fault).
After each fault, every client must get an answer again before the next fault. At the end, all answers are compared with
what is stored. If clients leave, each request that they leave counts as a fault.

- *acknowledged*: changes that were answered as done; *answered*: all answers, with refusals and reads.
- *failed*: requests that were answered 503 (*unavailable*), lost their connection (*cut*), or got the answer that it
  isn't known whether the change was made (*unsure*).
- *no-retry-after*: those answered 503 without the header `Retry-After`.
- *lost*: acknowledged, and not in the database; *half-written*: there in part, twice, or without a request.
- Of runs: *acknowledged* ones were finished, *answered* counts their executions, *half-written* those at the same time.

"""


@dataclass(frozen=True)
class Outcome:
    fault: str
    database: str
    injected: int
    answered: int
    acknowledged: int
    failed: str
    no_retry_after: int
    lost: int
    half_written: int
    recovered: str = "yes"  # otherwise the test would have failed


NAMES = [each.name.replace("_", "-") for each in fields(Outcome)]
HEAD = [NAMES, ["---"] * len(NAMES)]


def table(outcomes: Iterable[Outcome], before: str = "") -> str:
    """Write a row for each fault and database. Rows of a table written before stay, if no outcome has their fault."""
    rows = {tuple(cells[:2]): cells for cells in (*_cells(before), *map(_written, outcomes))}
    return "\n".join(f"| {' | '.join(row)} |" for row in (*HEAD, *sorted(rows.values()))) + "\n"


def _cells(text: str) -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return lines[len(HEAD) :]


def _written(outcome: Outcome) -> list[str]:
    return [str(value) for value in astuple(outcome)]
