"""Writes the table of faults and their results."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

ABOUT = """\
# Faults and their results

By `make chaos`: real processes, eight clients that change the same few jobs (sixteen in the load without a fault).
After each fault every client had to be answered again before the next one, and at the end all that clients were told
was compared with all that is stored. A fault that a client makes by leaving is counted for each request left.

- *acknowledged*: changes that a client was told are done; *answered*: all answers, refusals and reads among them.
- *failed*: requests that were sent away, cut off, or told that nobody knows whether the change was made.
- *lost*: acknowledged, and not in the database; *half-written*: there in part, twice, or though nobody asked for it.
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
    lost: int
    half_written: int
    recovered: str = "yes"  # otherwise the test would have failed


def table(outcomes: Iterable[Outcome]) -> str:
    names = [each.name.replace("_", "-") for each in fields(Outcome)]
    rows = [names, ["---"] * len(names), *sorted([str(value) for value in astuple(each)] for each in outcomes)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
