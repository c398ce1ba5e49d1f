"""Describing a cron expression in English.

A description says when the expression fires, not how it is written: it is made of the sets of times and days alone, so
that expressions that fire at the same times read the same. (What daylight saving changes is left out.)
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate
from operator import or_

from mainsheet.models.cron.calendar import (
    LAST,
    DayRule,
    LastDay,
    LastWorkday,
    MonthDay,
    NthWeekday,
    Weekday,
    kinds_of,
    union,
)
from mainsheet.models.cron.expression import CronExpression
from mainsheet.models.cron.times_of_day import describe_times
from mainsheet.models.cron.words import MONTHS, WEEKDAYS, joined, ordinal, progression, runs

ALL_WEEKDAYS = tuple(map(Weekday, (1, 2, 3, 4, 5, 6, 0)))  # in the order in which they are named
ALL_MONTH_DAYS = tuple(map(MonthDay, range(1, 32)))
NTH_WEEKDAYS = tuple(NthWeekday(each.number, number) for number in (1, 2, 3, 4, 5, LAST) for each in ALL_WEEKDAYS)
MONTH_RULES: tuple[DayRule, ...] = (*ALL_MONTH_DAYS, LastDay(), LastWorkday())
WEEK_RULES: tuple[DayRule, ...] = (*ALL_WEEKDAYS, *NTH_WEEKDAYS)
# The order of preference, if two rules match the same days.
ALL_RULES: tuple[DayRule, ...] = (*ALL_WEEKDAYS, *ALL_MONTH_DAYS, *NTH_WEEKDAYS, LastDay(), LastWorkday())


def describe(expression: CronExpression) -> str:
    """Return the description, as "At 04:30 every day"."""
    times = describe_times(expression.minutes, expression.hours)
    days = _Days(expression).described()
    if not days:
        return times.text if times.is_whole_day else f"{times.text} every day"
    return f"{times.text} {days}"


class _Days:
    """The days on which an expression fires."""

    def __init__(self, expression: CronExpression) -> None:
        self._expression = expression
        self._possible = reduce(or_, map(kinds_of, expression.live_months))
        self._days = expression.days & self._possible

    def described(self) -> str:
        """Return nothing for every day of the year."""
        if self._days == self._of(*ALL_MONTH_DAYS):
            months = self._months_with(union(ALL_MONTH_DAYS))
            return f"every day in {_months(months)}" if months else ""
        rules = self._matching(ALL_RULES, self._possible)
        if self._of(*rules) == self._days:
            return self._either(rules)
        return self._both(*self._month_and_week())

    def _of(self, *rules: DayRule) -> int:
        return union(rules) & self._possible

    def _matching(self, rules: Iterable[DayRule], among: int) -> list[DayRule]:
        """Return the rules that match no other days than the expression; without those that add nothing."""
        matching = [rule for rule in rules if not self._of(rule) & among & ~self._days]
        before = list(accumulate(map(self._of, matching), or_, initial=0))
        kept: list[DayRule] = []
        for rule, earlier in zip(reversed(matching), reversed(before[:-1]), strict=True):
            if self._of(rule) & among & ~(earlier | self._of(*kept)):
                kept.append(rule)
        return kept[::-1]

    def _either(self, rules: Sequence[DayRule]) -> str:
        months = self._months_with(union(rules))
        weekdays, others = _weekdays(rules), _of_month(rules)
        if not others:
            return f"on {joined(weekdays)}" + (f" in {_months(months)}" if months else "")
        if len(rules) == len(months) == 1 and isinstance(rules[0], MonthDay):
            return f"on {_months(months)} {rules[0].number}"
        if weekdays and months:
            return f"on {joined([*weekdays, *others])} of the month in {_months(months)}"
        return f"on {joined([*weekdays, *others])} of {_months(months) or 'every month'}"

    def _month_and_week(self) -> tuple[Collection[DayRule], Collection[DayRule]]:
        """Return rules for the month and for the week that match the expression's days where both match."""
        weekdays = [rule for rule in ALL_WEEKDAYS if self._of(rule) & self._days]
        month_days = [rule for rule in ALL_MONTH_DAYS if self._of(rule) & self._days]
        for pair in (
            (self._matching(MONTH_RULES, union(weekdays)), weekdays),
            (month_days, self._matching(WEEK_RULES, union(month_days))),
        ):
            if self._of(*pair[0]) & self._of(*pair[1]) == self._days:
                return pair
        return self._expression.month_days, self._expression.weekdays

    def _both(self, month_rules: Collection[DayRule], week_rules: Collection[DayRule]) -> str:
        months = self._months_with(union(month_rules))
        on = joined(_of_month([rule for rule in ALL_RULES if rule in month_rules]))
        ordered = [rule for rule in ALL_RULES if rule in week_rules]
        condition = joined([*_weekdays(ordered), *_of_month(ordered)], "or")
        return f"on {on} of {_months(months) or 'every month'} if it is {condition}"

    def _months_with(self, days: int) -> list[int]:
        """Return the months to name, none for all of them.

        A month that has none of the days needs no mention: the 31st of every month is in seven of them.
        """
        named = self._expression.live_months
        is_every = all(month in named or not days & kinds_of(month) for month in range(1, 13))
        return [] if is_every else sorted(named)


def _weekdays(rules: Sequence[DayRule]) -> list[str]:
    weekdays = [rule for rule in rules if isinstance(rule, Weekday)]
    return runs([ALL_WEEKDAYS.index(each) for each in weekdays], [WEEKDAYS[each.number] for each in weekdays])


def _of_month(rules: Sequence[DayRule]) -> list[str]:
    return [*_named_in_month(rules)]


def _named_in_month(rules: Sequence[DayRule]) -> Iterator[str]:
    """Yield the names of rules within a month, as "the first and 15th days" or "the last Friday"."""
    if days := [rule.number for rule in rules if isinstance(rule, MonthDay)]:
        words = [*map(ordinal, days)]
        yield progression("day", days, [f"the {each}" for each in words]) or _days_of_month(
            runs(days, words), len(days)
        )
    for rule in rules:
        match rule:
            case NthWeekday(weekday, number):
                yield f"the {'last' if number == LAST else ordinal(number)} {WEEKDAYS[weekday]}"
            case LastDay():
                yield "the last day"
            case LastWorkday():
                yield "the last weekday"


def _days_of_month(ordinals: Sequence[str], count: int) -> str:
    return f"the {joined(ordinals)} {'day' if count == 1 else 'days'}"


def _months(months: Sequence[int]) -> str:
    return joined(runs(months, [MONTHS[month - 1] for month in months]))
