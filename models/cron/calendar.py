"""Sets of days in a month, as bits.

A month has 28 to 31 days and starts on one of seven weekdays, so there are 28 kinds of months. A set of days is one
integer with 32 bits for each kind: bit 15 of a kind is set if the 15th day of such a month is in the set. Union,
intersection and comparison of rules such as "the last Friday" are then single operations on integers.

Weekdays are numbered as in cron: 0 is Sunday.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_

LENGTHS = range(28, 32)
WEEK = 7
SATURDAY = 6
SUNDAY = 0
SLOT = 32  # bits for each kind of month
SLOT_BITS = (1 << SLOT) - 1
LAST = -1
MONTH_LENGTHS = {month: (31, 30)[month in {4, 6, 9, 11}] for month in range(1, 13)} | {2: 28}


@dataclass(frozen=True, order=True)
class MonthDay:
    number: int

    def day(self, length: int, first_weekday: int) -> int:  # noqa: ARG002 the same signature for each of the rules
        return self.number if self.number <= length else 0


@dataclass(frozen=True)
class LastDay:
    def day(self, length: int, first_weekday: int) -> int:  # noqa: ARG002 as above
        return length


@dataclass(frozen=True)
class LastWorkday:
    """The last day from Monday to Friday."""

    def day(self, length: int, first_weekday: int) -> int:
        weekday = (first_weekday + length - 1) % WEEK
        return length - {SATURDAY: 1, SUNDAY: 2}.get(weekday, 0)


@dataclass(frozen=True, order=True)
class NthWeekday:
    """The first, second, … or with `LAST` the last of a weekday in its month."""

    weekday: int
    number: int

    def day(self, length: int, first_weekday: int) -> int:
        first = 1 + (self.weekday - first_weekday) % WEEK
        number = 1 + (length - first) // WEEK if self.number == LAST else self.number
        day = first + WEEK * (number - 1)
        return day if day <= length else 0


@dataclass(frozen=True, order=True)
class Weekday:
    number: int


DayRule = MonthDay | LastDay | LastWorkday | NthWeekday | Weekday


@cache  # one entry for each rule that exists, fewer than a hundred
def days_of(rule: DayRule) -> int:
    """Return the set of days that the rule matches."""
    if isinstance(rule, Weekday):
        return union(NthWeekday(rule.number, each) for each in range(1, 6))
    kinds = [(length, first) for length in LENGTHS for first in range(WEEK)]
    return reduce(or_, (_bit(length, first, rule.day(length, first)) for length, first in kinds))


def union(rules: Iterable[DayRule]) -> int:
    return reduce(or_, map(days_of, rules), 0)


@cache
def kinds_of(month: int) -> int:
    """Return the set of all days of the kinds that a month can be: February has 28 or 29 days."""
    lengths = {MONTH_LENGTHS[month], 29} if month == 2 else {MONTH_LENGTHS[month]}  # noqa: PLR2004 February
    return reduce(or_, (SLOT_BITS << _position(length, first) for length in lengths for first in range(WEEK)))


def in_month(days: int, length: int, first_weekday: int) -> int:
    """Return the days of one kind of month, the first as bit 1."""
    return days >> _position(length, first_weekday) & SLOT_BITS


def _bit(length: int, first_weekday: int, day: int) -> int:
    return 1 << _position(length, first_weekday) + day if day else 0


def _position(length: int, first_weekday: int) -> int:
    return SLOT * (WEEK * (length - LENGTHS[0]) + first_weekday)
