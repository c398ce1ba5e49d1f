"""The times at which a cron expression fires in a time zone.

When clocks change, Debian's rules hold (cron(8)):

- A change of less than three hours, as for daylight saving. A job at a fixed time (neither the minute nor the hour
  begins with `*`) whose time is skipped fires once, at the first instant after the gap. If its time is repeated, it
  fires at the first occurrence only. Any other job follows the wall clock: not in a gap, and in both passes of a
  repeated interval.
- A change of three hours or more is a correction of the clock, as when Pacific/Apia skipped 2011-12-30. Every job
  follows the wall clock: what is skipped doesn't fire, what is repeated fires twice.

Two fixed times in the same gap fall on one instant, which is given once. A gap may be at midnight, or half an hour.

The search goes from one matching date to the next. Each UTC day near such a date is split where the zone's offset
changes; within a part, wall-clock time and UTC differ by a constant, so that times come out in ascending order. No
zone has changed its clock twice within 27 hours since 2000, so equal offsets at both ends of a day mean no change.
Instants and wall-clock times are seconds since 1970-01-01T00:00.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from math import floor
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mainsheet.models.cron.expression import CronExpression

MINUTE = 60
DAY = 86_400
CORRECTION = 3 * 3600  # a change of the clock by this much or more isn't daylight saving


def fire_times(expression: CronExpression, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the times after `after`, up to and including `until`, in ascending order."""
    first, last = floor(after.timestamp()) + 1, floor(until.timestamp())
    for day in _utc_days(expression, first // DAY, last // DAY):
        for part in _parts(zone, day * DAY):
            for instant in _instants(expression, part, first):
                if instant > last:
                    return
                yield datetime.fromtimestamp(instant, zone)


def _utc_days(expression: CronExpression, first: int, last: int) -> Iterator[int]:
    """Yield the days in UTC that may overlap a matching date: offsets are less than a day."""
    for date in expression.dates(first - 1, last + 1):
        for day in range(max(date - 1, first), min(date + 1, last) + 1):
            yield day
            first = day + 1
        if first > last:
            return


class _Part(NamedTuple):
    """A part of a day with one offset from UTC, and the change of the clock before it, if that was a short time ago."""

    start: int
    end: int
    offset: int
    changed_at: int
    previous_offset: int


def _parts(zone: ZoneInfo, midnight: int) -> Iterator[_Part]:
    """Split a UTC day where the offset changes; what a change repeats may last into the day after it."""
    start, end = midnight - CORRECTION, midnight + DAY
    previous = offset = _offset(zone, start)
    final = _offset(zone, end - MINUTE)
    while True:
        change = end if offset == final else _change(zone, start, end - MINUTE)
        if change > midnight:
            yield _Part(max(start, midnight), change, offset, start, previous)
        if change == end:
            return
        start, previous, offset = change, offset, _offset(zone, change)


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the first minute with another offset than at `before`; at `after` it is another one."""
    offset = _offset(zone, before)
    while after - before > MINUTE:
        middle = before + (after - before) // (2 * MINUTE) * MINUTE
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None  # noqa: S101 for the type checker: a ZoneInfo always knows it
    return offset.days * DAY + offset.seconds


def _instants(expression: CronExpression, part: _Part, first: int) -> Iterator[int]:
    start, gap = max(part.start, first), part.offset - part.previous_offset
    if expression.is_fixed_time and -CORRECTION < gap < 0:
        start = max(start, part.changed_at - gap)
    if expression.is_fixed_time and 0 < gap < CORRECTION and part.changed_at == start:
        skipped = _wall_times(expression, start + part.previous_offset, start + part.offset)
        if next(skipped, None) is not None:
            yield start
            start += 1
    for wall_time in _wall_times(expression, start + part.offset, part.end + part.offset):
        yield wall_time - part.offset


def _wall_times(expression: CronExpression, start: int, end: int) -> Iterator[int]:
    times = expression.times
    for day in range(start // DAY, (end - 1) // DAY + 1):
        if expression.fires_on(day):
            midnight = day * DAY
            for index in range(bisect_left(times, start - midnight), bisect_left(times, end - midnight)):
                yield midnight + times[index]
