"""When cron expressions fire, found minute by minute and written independently of `mainsheet.models.cron`.

`python -m tests.models.cron_oracle` compares both for all zones, all expressions below and the years 2024 to 2030.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from mainsheet.models import cron, zones

DAY = 24 * 60  # all times below are minutes since 1970-01-01T00:00
SHORT_CHANGE = 3 * 60
NAMES = {name: str(number) for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])}
MONTHS = {
    name: str(n)
    for n, name in enumerate(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)
}
EXPRESSIONS = (
    *("30 2 * * *", "0 0 * * *", "30 0 * * *", "0,30 2 * * *", "0 1,2,3 * * *", "15 3 * * 0", "59 23 * * *"),
    *("0-59/20 1-3 * * *", "0 6 1 * *", "0 0 L * *", "30 2 LW * *", "0 0 * * 5L", "30 2 * 3,10 0#2", "30 0 29 2 *"),
    *("0 */6 * * *", "*/10 1 * * 0", "*/15 3 * * 0", "*/30 0-3 * * *", "0 * * * *", "45 * * * *", "*/20 2 * * 6,7"),
    *("5 0 * 8 *", "0 0 13 * 5", "0 0 1-7 * */7", "15 14 1 * *", "0 22 * * 1-5", "23 0-20/2 * * *", "5 4 * * sun"),
    *("0 9 1 JAN,APR,jul,10 *", "0 12 */10 * *", "2-58/14 23 * * *", "*/15 23 28-31 * *", "40 1 */2 * 1", "@weekly"),
)
YEARS = range(2024, 2031)


@dataclass(frozen=True)
class Stretch:
    """A time with one offset from UTC."""

    start: int
    end: int
    offset: int


def minute_of(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def year_start(year: int) -> int:
    return minute_of(datetime(year, 1, 1, tzinfo=UTC))


def offset(zone: ZoneInfo, minute: int) -> int:
    found = datetime.fromtimestamp(minute * 60, zone).utcoffset()
    assert found is not None
    return int(found.total_seconds()) // 60


def stretches(zone: ZoneInfo, start: int, end: int, step: int) -> Iterator[Stretch]:
    """Read the zone's offset every `step` minutes, and every minute around a change."""
    begun = start
    for earlier, later in pairwise(range(start, end + step, step)):
        if offset(zone, earlier) != offset(zone, later):
            change = next(each for each in range(earlier, later + 1) if offset(zone, each) != offset(zone, earlier))
            yield Stretch(begun, change, offset(zone, begun))
            begun = change
    yield Stretch(begun, end, offset(zone, begun))


def _in_field(text: str, value: int, low: int, high: int) -> bool:
    for item in text.split(","):
        base, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if base == "*" else base).partition("-")
        top = int(last or (high if step else first))
        if value in range(int(first), top + 1, int(step or 1)):
            return True
    return False


def _is_month_day(item: str, day: date) -> bool:
    tomorrow = day + timedelta(days=1)
    if item == "L":
        return tomorrow.day == 1
    if item == "LW":
        rest = [day + timedelta(days=n) for n in range(1, 4) if (day + timedelta(days=n)).month == day.month]
        return day.isoweekday() <= 5 and all(each.isoweekday() > 5 for each in rest) and len(rest) < 3
    return _in_field(item, day.day, 1, 31)


def _is_weekday(item: str, day: date) -> bool:
    numbers = {day.isoweekday(), day.isoweekday() % 7}
    if "#" in item:
        number, nth = map(int, item.split("#"))
        return number in numbers and (day.day + 6) // 7 == nth
    if item.endswith("L"):
        return int(item[:-1]) in numbers and (day + timedelta(days=7)).month != day.month
    return any(_in_field(item, number, 0, 7) for number in numbers)


def is_date(text: str, day: date) -> bool:
    _, _, month_day, month, weekday = fields_of(text)
    by_number = any(_is_month_day(item, day) for item in month_day.split(","))
    by_weekday = any(_is_weekday(item, day) for item in weekday.split(","))
    both = month_day[0] == "*" or weekday[0] == "*"
    return _in_field(month, day.month, 1, 12) and (by_number and by_weekday if both else by_number or by_weekday)


def fields_of(text: str) -> list[str]:
    minute, hour, month_day, month, weekday = text.upper().replace("@WEEKLY", "0 0 * * 0").split()
    for name, number in NAMES.items():
        weekday = weekday.replace(name, number)
    for name, number in MONTHS.items():
        month = month.replace(name, number)
    return [minute, hour, month_day, month, weekday]


def is_time(text: str, minute_of_day: int) -> bool:
    minute, hour, *_ = fields_of(text)
    return _in_field(minute, minute_of_day % 60, 0, 59) and _in_field(hour, minute_of_day // 60, 0, 23)


def is_fixed(text: str) -> bool:
    minute, hour, *_ = fields_of(text)
    return minute[0] != "*" and hour[0] != "*"


def wall_minutes(text: str, start: int, end: int) -> int:
    """Return a bit for each minute of local time from the day of `start` on: 1 if the expression matches."""
    times = sum(1 << minute for minute in range(DAY) if is_time(text, minute)).to_bytes(DAY // 8, "little")
    nothing = bytes(DAY // 8)
    days = range(start // DAY, end // DAY + 1)
    epoch = date(1970, 1, 1)
    return int.from_bytes(
        b"".join(times if is_date(text, epoch + timedelta(days=each)) else nothing for each in days), "little"
    )


def expected(text: str, wall: int, parts: Iterable[Stretch], base: int) -> int:
    """Return a bit for each minute of UTC from `base` on: 1 if the expression fires by Debian's rules."""
    fires, before = 0, None
    for part in parts:
        own = _cut(wall, part.start + part.offset - base, part.end - part.start) << part.start - base
        gap = part.offset - before if before is not None else 0
        if is_fixed(text) and 0 < gap < SHORT_CHANGE and _cut(wall, part.start + part.offset - gap - base, gap):
            own |= 1 << part.start - base
        if is_fixed(text) and -SHORT_CHANGE < gap < 0:
            own &= -1 << part.start - base - gap
        fires |= own
        before = part.offset
    return fires


def _cut(bits: int, start: int, length: int) -> int:
    return bits >> start & (1 << length) - 1


def found(text: str, zone: ZoneInfo, start: int, end: int, base: int) -> int:
    """Return the engine's fire times from `start` until before `end` in the same form."""
    bits = bytearray((end - base) // 8 + 1)
    last = None
    after, until = (datetime.fromtimestamp(each * 60 - 1, UTC) for each in (start, end))
    for moment in cron.fire_times(cron.parse(text), zone, after, until):
        instant = moment.timestamp()
        assert last is None or instant > last
        last = instant
        minute, rest = divmod(int(instant), 60)
        assert rest == 0
        bits[(minute - base) // 8] |= 1 << (minute - base) % 8
    return int.from_bytes(bits, "little")


def compare(years: range, expressions: Iterable[str], step: int) -> tuple[int, int, list[tuple[str, str, int]]]:
    """Return how many (expression, zone, year) were compared, how many different zones there are, and differences.

    Zones that have the same offsets all the time are compared once, and counted by their names.
    """
    start, end = year_start(years[0]) - 2 * DAY, year_start(years[-1] + 1) + 2 * DAY
    alike = defaultdict(list)
    for name in sorted(zones.names()):
        alike[tuple(stretches(zones.zone(name), start, end, step))].append(name)
    base = start - 2 * DAY
    differences, count = [], 0
    for text in expressions:
        wall = wall_minutes(text, base, end + 2 * DAY)
        for parts, names in alike.items():
            wanted = expected(text, wall, parts, base)
            actual = found(text, zones.zone(names[0]), year_start(years[0]), year_start(years[-1] + 1), base)
            for year in years:
                place = year_start(year) - base, year_start(year + 1) - year_start(year)
                count += len(names)
                if _cut(wanted, *place) != _cut(actual, *place):
                    differences += [(text, name, year) for name in names]
    return count, len(alike), differences


if __name__ == "__main__":
    compared, different, faults = compare(YEARS, EXPRESSIONS, step=15)
    sys.stdout.write(
        f"{compared} compared ({len(EXPRESSIONS)} expressions, {len(zones.names())} zones with {different} different"
        f" sets of offsets, {YEARS[0]} to {YEARS[-1]}), {len(faults)} differences\n"
    )
    sys.stdout.writelines(f"{fault}\n" for fault in faults[:50])
    sys.exit(bool(faults))
