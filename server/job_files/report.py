"""Shows steps to people in a terminal, to a pull request in Markdown, and to programs in JSON."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

import click
import orjson

from mainsheet.server.job_files.plan import CHANGED, CREATED, DELETED, REFUSED, UNCHANGED, Difference, Fault

LONGEST = 120
MARKS = {CREATED: ("+", "green"), CHANGED: ("~", "yellow"), DELETED: ("-", "red"), REFUSED: ("!", "red")}
KINDS = {"ADDED": ("+", "green"), "CHANGED": ("~", "yellow"), "REMOVED": ("-", "red")}
PLANNED = {CREATED: "to create", CHANGED: "to change", UNCHANGED: "unchanged", REFUSED: "refused"}
DONE = {CREATED: "created", CHANGED: "changed", UNCHANGED: "unchanged", REFUSED: "refused"}


class Step(Protocol):
    """What applying a part of the files does, or did. `label` names the object, and `place` the file."""

    @property
    def label(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def heading(self) -> Mapping[str, str]: ...
    @property
    def outcome(self) -> str: ...
    @property
    def differences(self) -> Sequence[Difference]: ...
    @property
    def faults(self) -> Sequence[Fault]: ...


def summary(steps: Sequence[Step], words: Mapping[str, str]) -> str:
    counts = Counter(each.outcome for each in steps)
    return ", ".join(f"{counts[outcome]} {word}" for outcome, word in words.items()) + "."


def text(steps: Sequence[Step], words: Mapping[str, str], _title: str) -> str:
    """Describe the steps for a terminal. `click.echo` leaves the colours out elsewhere."""
    return "\n".join([*(line for each in steps for line in _lines(each, words)), summary(steps, words)])


def markdown(steps: Sequence[Step], words: Mapping[str, str], title: str) -> str:
    blocks = (line for each in steps for line in _blocks(each, words))
    return "\n".join([f"**{title}: {summary(steps, words)}**", *blocks])


def json(steps: Sequence[Step], _words: Mapping[str, str], _title: str) -> str:
    shown = [
        {
            **each.heading,
            "outcome": each.outcome,
            "changes": [asdict(difference) for difference in each.differences],
            "userErrors": [asdict(fault) for fault in each.faults],
        }
        for each in steps
    ]
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()


Report = Callable[[Sequence[Step], Mapping[str, str], str], str]
FORMATS: Mapping[str, Report] = {"text": text, "markdown": markdown, "json": json}


def _lines(step: Step, words: Mapping[str, str]) -> Iterator[str]:
    if step.outcome == UNCHANGED:
        return
    mark, colour = MARKS[step.outcome]
    yield click.style(f"{mark} {step.label}", fg=colour, bold=True) + f"  {words[step.outcome]}"
    for fault in step.faults:
        yield click.style(f"    {': '.join(filter(None, (step.place, fault.path, fault.message)))}", fg="red")
    for each in step.differences if step.outcome != REFUSED else ():
        sign, colour = KINDS[each.kind]
        yield click.style(f"    {sign} {_values(each, _short)}", fg=colour)


def _blocks(step: Step, words: Mapping[str, str]) -> Iterator[str]:
    if step.outcome == UNCHANGED:
        return
    yield f"\n`{step.label}`: {words[step.outcome]}"
    yield from (f"- `{fault.path}`: {fault.message}" if fault.path else f"- {fault.message}" for fault in step.faults)
    if step.differences and step.outcome != REFUSED:
        yield "\n```diff"
        for each in step.differences:
            yield from (f"- {each.path}: {_short(value)}" for value in [each.before] if value is not None)
            yield from (f"+ {each.path}: {_short(value)}" for value in [each.after] if value is not None)
        yield "```"


def _values(difference: Difference, show: Callable[[str], str]) -> str:
    values = [show(each) for each in (difference.before, difference.after) if each is not None]
    return f"{difference.path}: {' → '.join(values)}"


def _short(value: str) -> str:
    line = value.encode("unicode_escape").decode() if not value.isprintable() else value
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
