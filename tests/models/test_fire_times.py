from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mainsheet.models import cron, zones
from mainsheet.models.schedule import Schedule
from tests.models.any_cron import DAYS, TIMES
from tests.models.cron_oracle import (
    DAY,
    EXPRESSIONS,
    compare,
    expected,
    found,
    stretches,
    wall_minutes,
    year_start,
)


def next_times(text: str, zone: str, after: str, count: int = 3) -> list[str]:
    found = Schedule(cron=text, timezone=zone).next_fire_times(datetime.fromisoformat(after), count)
    return [each.isoformat(timespec="minutes") for each in found]


CLOCK_CHANGES = {
    "fixed time in a gap": (
        *("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z"),
        ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00", "2026-03-31T02:30+02:00"],
    ),
    "two fixed times in a gap": (
        *("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:59Z"),
        ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00", "2026-03-30T02:00+02:00"],
    ),
    "fixed time in a repeated hour": (
        *("30 2 * * *", "Europe/Berlin", "2026-10-24T23:00Z"),
        ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00"],
    ),
    "fixed time, from the second pass of a repeated hour on": (
        *("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00Z"),
        ["2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00", "2026-10-28T02:30+01:00"],
    ),
    "wildcard in a gap": (
        *("*/30 2 * * *", "Europe/Berlin", "2026-03-28T01:00Z"),
        ["2026-03-28T02:30+01:00", "2026-03-30T02:00+02:00", "2026-03-30T02:30+02:00"],
    ),
    "wildcard in both passes of a repeated hour": (
        *("*/30 2 * * *", "Europe/Berlin", "2026-10-25T00:00Z"),
        ["2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00"],
    ),
    "a gap of half an hour": (
        *("0 */6 * * *", "Australia/Lord_Howe", "2025-10-04T12:00Z"),
        ["2025-10-05T00:00+10:30", "2025-10-05T06:00+11:00", "2025-10-05T12:00+11:00"],
    ),
    "fixed time in a gap of half an hour": (
        *("15 2 * * *", "Australia/Lord_Howe", "2025-10-04T12:00Z"),
        ["2025-10-05T02:30+11:00", "2025-10-06T02:15+11:00", "2025-10-07T02:15+11:00"],
    ),
    "the hour after a gap at midnight": (
        *("*/30 1 * * 0", "Atlantic/Azores", "2026-03-28T12:00Z"),
        ["2026-03-29T01:00+00:00", "2026-03-29T01:30+00:00", "2026-04-05T01:00+00:00"],
    ),
    "a gap that begins between two hours": (
        *("*/15 3 * * 0", "Pacific/Chatham", "2026-09-20T16:00Z"),
        ["2026-09-27T03:45+13:45", "2026-10-04T03:00+13:45", "2026-10-04T03:15+13:45"],
    ),
    "midnight in a gap": (
        *("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z"),
        ["2026-03-29T01:00+03:00", "2026-03-30T00:00+03:00", "2026-03-31T00:00+03:00"],
    ),
    "a repeated hour before midnight": (
        *("30 23 * * *", "America/Santiago", "2026-04-04T12:00Z"),
        ["2026-04-04T23:30-03:00", "2026-04-05T23:30-04:00", "2026-04-06T23:30-04:00"],
    ),
    "a day that was skipped": (
        *("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00Z"),
        ["2011-12-29T09:00-10:00", "2011-12-31T09:00+14:00", "2012-01-01T09:00+14:00"],
    ),
    "a month's last day that was skipped": (
        *("0 9 30,31 * *", "Pacific/Apia", "2011-12-29T00:00Z"),
        ["2011-12-31T09:00+14:00", "2012-01-30T09:00+14:00", "2012-01-31T09:00+14:00"],
    ),
}


@pytest.mark.parametrize(("text", "zone", "after", "times"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES)
def test_clock_changes(text: str, zone: str, after: str, times: list[str]) -> None:
    assert next_times(text, zone, after) == times


@pytest.mark.parametrize(
    ("after", "first"),
    [
        ("2026-01-01T05:59:59.999999Z", "2026-01-01T06:00+00:00"),
        ("2026-01-01T06:00:00Z", "2026-01-02T06:00+00:00"),
        ("2026-01-01T06:00:00.000001Z", "2026-01-02T06:00+00:00"),
        ("2026-01-01T07:00:00+02:00", "2026-01-01T06:00+00:00"),
    ],
)
def test_fire_times_are_after_the_moment(after: str, first: str) -> None:
    assert next_times("0 6 * * *", "UTC", after, 1) == [first]


def test_a_gap_counts_from_its_end() -> None:
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)

    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")

    assert list(schedule.fire_times(change - timedelta(microseconds=1), change)) == [change]
    assert list(schedule.fire_times(change - timedelta(hours=2), change - timedelta(microseconds=1))) == []
    assert list(schedule.fire_times(change, change + timedelta(hours=2))) == []


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("0 0 29 2 *", [2028, 2032, 2036]),
        ("0 0 * 2 MON#5", [2044, 2072, 2112]),
        ("0 0 29 2 */7", [2032, 2060, 2088]),
    ],
)
def test_rare_schedules(text: str, years: list[int]) -> None:
    assert [each[:4] for each in next_times(text, "UTC", "2026-01-01T00:00Z")] == [*map(str, years)]


def test_the_search_ends_after_a_hundred_years() -> None:
    leap_days = next_times("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", 100)

    assert [leap_days[0][:4], leap_days[-1][:4], len(leap_days)] == ["2028", "2124", 24]


@pytest.mark.parametrize("after", ["2000-01-01T00:00Z", "2999-12-31T23:59:59Z"])
@pytest.mark.parametrize("text", ["* * * * *", "0 0 29 2 *"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
def test_the_first_and_last_moments_that_may_be_given(after: str, text: str, zone: str) -> None:
    assert len(next_times(text, zone, after)) == 3


def test_all_zones_in_a_year_against_the_oracle() -> None:
    expressions = EXPRESSIONS[::3]

    compared, different, differences = compare(range(2026, 2027), expressions, step=180)

    assert compared == len(expressions) * len(zones.names())
    assert different > 50
    assert differences == []


def changes(zone: str, year: int) -> Iterator[int]:
    """Yield the minutes at which the zone's clock changes, and a day in the year."""
    yield year_start(year) + 200 * DAY
    for part in islice(stretches(zones.zone(zone), year_start(year), year_start(year + 1), 360), 1, None):
        yield part.start


NEAR_CHANGES = st.tuples(st.sampled_from(sorted(zones.names())), st.integers(2000, 2100)).flatmap(
    lambda picked: st.tuples(st.just(picked[0]), st.sampled_from([*changes(*picked)]))
)


@settings(max_examples=60)
@given(NEAR_CHANGES, TIMES, st.one_of(st.just("* * *"), DAYS), st.integers(-2 * DAY, DAY))
def test_any_expression_near_a_change_against_the_oracle(
    place: tuple[str, int], times: str, days: str, distance: int
) -> None:
    name, change = place
    text, zone = f"{times} {days}", zones.zone(name)
    assume(_is_valid(text))
    base = (change // DAY - 4) * DAY
    start, end = change + distance, change + 2 * DAY

    wanted = expected(text, wall_minutes(text, base, end + 2 * DAY), stretches(zone, base + DAY, end, 1), base)

    assert found(text, zone, start, end, base) == wanted >> start - base << start - base


def _is_valid(text: str) -> bool:
    try:
        return bool(cron.parse(text))
    except cron.BadCron:
        return False
