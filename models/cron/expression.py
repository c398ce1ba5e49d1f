"""A parsed cron expression: sets of minutes, hours, months, and days of a month."""

from array import array
from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from mainsheet.models.cron.calendar import MONTH_LENGTHS, WEEK, DayRule, in_month, kinds_of, union

UNIX_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class CronExpression:
    """A parsed expression.

    A day matches if one of the rules of `month_days` or one of `weekdays` does, or with `needs_both` one of each.
    `is_fixed_time` says that neither the minute nor the hour begins with `*`: it matters when clocks change.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    month_days: frozenset[DayRule]
    weekdays: frozenset[DayRule]
    needs_both: bool
    is_fixed_time: bool
    _years: dict[tuple[bool, int], int] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def days(self) -> int:
        """The days that match in any month, as `mainsheet.models.cron.calendar` represents them."""
        by_number, by_weekday = union(self.month_days), union(self.weekdays)
        return by_number & by_weekday if self.needs_both else by_number | by_weekday

    @cached_property
    def live_months(self) -> frozenset[int]:
        """The months in which some day matches; none if the expression never fires."""
        return frozenset(month for month in self.months if self.days & kinds_of(month))

    @cached_property
    def times(self) -> "array[int]":
        """The times of a day in ascending order, as seconds since midnight."""
        return array("i", (hour * 3600 + minute * 60 for hour in sorted(self.hours) for minute in sorted(self.minutes)))

    def dates(self, first: int, last: int) -> Iterator[int]:
        """Yield the matching dates from `first` to the end of the year of `last`, as days since 1970-01-01."""
        first_year, last_year = (date.fromordinal(day + UNIX_EPOCH).year for day in (first, last))
        for year in range(first_year, last_year + 1):
            new_year = date(year, 1, 1).toordinal()
            days = self._year(isleap(year), new_year % WEEK)
            if year == first_year:
                days &= -1 << first + UNIX_EPOCH - new_year
            while days:
                lowest = days & -days
                yield new_year + lowest.bit_length() - 1 - UNIX_EPOCH
                days ^= lowest

    def fires_on(self, day: int) -> bool:
        """Whether a date matches, given as days since 1970-01-01."""
        ordinal = day + UNIX_EPOCH
        year = date.fromordinal(ordinal).year
        new_year = date(year, 1, 1).toordinal()
        return bool(self._year(isleap(year), new_year % WEEK) >> ordinal - new_year & 1)

    def _year(self, is_leap: bool, first_weekday: int) -> int:
        """Return the matching days of one of the 14 kinds of years, January 1 as bit 0."""
        key = (is_leap, first_weekday)
        if key not in self._years:
            self._years[key] = self._made_year(is_leap, first_weekday)
        return self._years[key]

    def _made_year(self, is_leap: bool, weekday: int) -> int:
        year = start = 0
        for month, length in (MONTH_LENGTHS | {2: 28 + is_leap}).items():
            if month in self.months:
                year |= in_month(self.days, length, (weekday + start) % WEEK) >> 1 << start
            start += length
        return year
