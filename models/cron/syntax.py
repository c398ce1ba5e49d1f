"""Parsing cron expressions.

Five fields in ASCII, separated by blanks or tabs: minute, hour, day of month, month, day of week. A field is a list of
`*`, numbers, names and ranges, each with a step if wanted: `*/10`, `8-18/2`. Weekdays are 0 to 7, both 0 and 7 are
Sunday. A day matches if the day of month *or* the day of week does; if one of the two begins with `*`, both must.
`@hourly`, `@daily` and the like are synonyms.

Beyond crontab(5): `5/15` is `5-59/15`; in the day of month, `L` is the last day and `LW` the last day from Monday to
Friday; in the day of week, `5L` is the last Friday of the month and `MON#2` the second Monday.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from mainsheet.models.cron import dialects
from mainsheet.models.cron.calendar import LAST, WEEK, DayRule, LastDay, LastWorkday, MonthDay, NthWeekday, Weekday
from mainsheet.models.cron.expression import CronExpression

Matched = TypeVar("Matched")

MOST_DIGITS = 4
MOST_WEEKS = 5
ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)
UNSUPPORTED_CHARACTER = re.compile(r"[^\t\x20-\x7e]")
SYNONYMS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class BadCron(ValueError):
    """The text isn't a supported expression, or never fires; `faults` are sentences, each naming its field."""

    def __init__(self, *faults: str) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Field:
    name: str
    minimum: int
    maximum: int
    names: Mapping[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        """Return the number that a text stands for. Raises `BadCron`."""
        number = self.names.get(text.upper())
        if number is None and not text.isdigit():
            raise BadCron(f"{text!a} isn't a number{' or a name' if self.names else ''}.")
        if number is None and (len(text) > MOST_DIGITS or not self.minimum <= int(text) <= self.maximum):
            raise BadCron(f"{text} is out of range, {self.minimum} to {self.maximum}.")
        return int(text) if number is None else number

    def values(self, item: str) -> range:
        """Return what one item of the list matches; raise `BadCron`."""
        if not item:
            raise BadCron("a value is missing before or after a comma.")
        match = ITEM.fullmatch(item)
        if not match:
            raise BadCron(f"{item!a} isn't *, a value or a range, with or without a step, as in 5, 1-5 or */10.")
        step = int(match["step"] or 1)
        if not step:
            raise BadCron("a step must be 1 or more.")
        if match["first"] is None:
            return range(self.minimum, self.maximum + 1, step)
        first = self.number(match["first"])
        last = self.number(match["last"]) if match["last"] else self.maximum if match["step"] else first
        if first > last:
            raise BadCron(f"the range {item} runs backwards. Write {self._forwards(first, last)}.")
        return range(first, last + 1, step)

    def _forwards(self, first: int, last: int) -> str:
        until_end = f"{first}-{self.maximum}" if first < self.maximum else str(first)
        if self.maximum == WEEK and not last:
            return until_end  # which includes Sunday
        return f"{until_end},{self.minimum}-{last}" if last > self.minimum else f"{until_end},{self.minimum}"


def _numbered(names: str, first: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), first)}


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
MONTH_DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, _numbered("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1))
WEEKDAY = Field("day of week", 0, WEEK, _numbered("SUN MON TUE WED THU FRI SAT", 0))
FIELDS = (MINUTE, HOUR, MONTH_DAY, MONTH, WEEKDAY)


def normalized(text: str) -> str:
    """Return the text as it is stored: trimmed, with one blank between fields."""
    is_normal = "  " not in text and "\t" not in text and text[:1] != " " and text[-1:] != " "
    return text if is_normal else re.sub(r"[ \t]+", " ", text.strip(" \t"))  # rows are read often, and are normal


@lru_cache(maxsize=512)  # a parsed expression takes up to about 10 kB
def parse(text: str) -> CronExpression:
    """Return the parsed expression. Raises `BadCron`."""
    if unsupported := UNSUPPORTED_CHARACTER.search(text):
        raise BadCron(f"Must be printable ASCII, but has the character {unsupported[0]!a}.")
    text = normalized(text)
    text = SYNONYMS.get(text.lower(), text)
    if fault := dialects.fault_of(text):
        raise BadCron(_with_equivalent(fault, text))
    expression = _parsed(text.split(" "))
    if not expression.live_months:
        raise BadCron(_never_fires(text))
    return expression


def _with_equivalent(fault: str, text: str) -> str:
    for sentence, equivalent in dialects.equivalents(text):
        if _is_valid(equivalent):
            return f"{fault} {sentence.format(equivalent)}"
    return fault


def _is_valid(text: str) -> bool:
    try:
        return bool(_parsed(text.split(" ")).live_months)
    except BadCron:
        return False


def _parsed(fields: Sequence[str]) -> CronExpression:
    faults: list[str] = []
    minute, hour, month_day, month, weekday = fields
    expression = CronExpression(
        minutes=_matched(MINUTE, minute, MINUTE.values, faults),
        hours=_matched(HOUR, hour, HOUR.values, faults),
        month_days=_matched(MONTH_DAY, month_day, _month_days, faults),
        months=_matched(MONTH, month, MONTH.values, faults),
        weekdays=_matched(WEEKDAY, weekday, _weekdays, faults),
        needs_both=month_day.startswith("*") or weekday.startswith("*"),
        is_fixed_time=not (minute.startswith("*") or hour.startswith("*")),
    )
    if faults:
        raise BadCron(*dict.fromkeys(faults))
    return expression


def _matched(
    part: Field, text: str, matched_by: Callable[[str], Iterable[Matched]], faults: list[str]
) -> frozenset[Matched]:
    """Return what the items of a field's list match together; add what is wrong with them to `faults`."""
    found: set[Matched] = set()
    for item in text.split(","):
        try:
            found.update(matched_by(item))
        except BadCron as bad:
            faults += [f"{part.name.capitalize()}: {fault}" for fault in bad.faults]
    return frozenset(found)


def _month_days(item: str) -> Iterator[DayRule]:
    match item.upper():
        case "L":
            yield LastDay()
        case "LW":
            yield LastWorkday()
        case _:
            yield from map(MonthDay, MONTH_DAY.values(item))


def _weekdays(item: str) -> Iterator[DayRule]:
    name, hash_sign, nth = item.partition("#")
    if hash_sign:
        if not nth.isdigit() or not 1 <= int(nth) <= MOST_WEEKS:
            raise BadCron(f"{item!a} needs a number from 1 to {MOST_WEEKS} after #, as in MON#2.")
        yield NthWeekday(WEEKDAY.number(name) % WEEK, int(nth))
    elif len(item) > 1 and item[-1] in "Ll":
        yield NthWeekday(WEEKDAY.number(item[:-1]) % WEEK, LAST)
    else:
        yield from (Weekday(number % WEEK) for number in WEEKDAY.values(item))


def _never_fires(text: str) -> str:
    _, _, month_day, month, weekday = text.split(" ")
    if weekday == "*":
        return f"Day of month: {month_day} doesn't occur in the month {month}, so the schedule never fires."
    where = "" if month == "*" else f" in the month {month}"
    return (
        f"Day of month, day of week: no day{where} matches both {month_day} and {weekday}, so the schedule never fires."
        " Both must match because one of them begins with *."
    )
