from calendar import isleap
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainsheet.models import cron
from tests.models.any_cron import DAYS, TIMES

DESCRIPTIONS = {
    "* * * * *": "Every minute",
    "*/5 * * * *": "Every 5 minutes",
    "0,30 * * * *": "Every 30 minutes",
    "*/7 * * * *": "At every seventh minute from 0 through 56 of every hour",
    "*/90 * * * *": "At the start of every hour",
    "0 * * * *": "At the start of every hour",
    "@hourly": "At the start of every hour",
    "10 * * * *": "At minute 10 of every hour",
    "5,10,20 * * * *": "At minutes 5, 10, and 20 of every hour",
    "0-10 * * * *": "At minutes 0 through 10 of every hour",
    "30 4 * * *": "At 04:30 every day",
    "0 12 * * *": "At 12:00 every day",
    "51 3-23/24 * * *": "At 03:51 every day",
    "0 8,14 * * 1-5": "At 08:00 and 14:00 on Monday through Friday",
    "0 */6 * * *": "At 00:00, 06:00, 12:00, and 18:00 every day",
    "15,45 9 * * *": "At 09:15 and 09:45 every day",
    "0 */2 * * *": "Every 2 hours",
    "25 */2 * * *": "Every 2 hours from 00:25 through 22:25 every day",
    "0 */5 * * *": "Every 5 hours from 00:00 through 20:00 every day",
    "0 9-17 * * 1-5": "Every hour from 09:00 through 17:00 on Monday through Friday",
    "*/15 9-17 * * 1-5": "Every 15 minutes from 09:00 through 17:45 on Monday through Friday",
    "0,30 9-17 * * *": "Every 30 minutes from 09:00 through 17:30 every day",
    "* 9 * * *": "Every minute from 09:00 through 09:59 every day",
    "*/30 8-18/2 * * *": "At minutes 0 and 30 past hours 8, 10, 12, 14, 16, and 18 every day",
    "0 7 * * 1": "At 07:00 on Monday",
    "0 7 * * 0,6,7": "At 07:00 on Saturday and Sunday",
    "0 7 * * 1,3,5": "At 07:00 on Monday, Wednesday, and Friday",
    "0 7 * * 1-6": "At 07:00 on Monday through Saturday",
    "* * * * MON": "Every minute on Monday",
    "0 0 1 * *": "At 00:00 on the first day of every month",
    "0 0 1,15 * *": "At 00:00 on the first and 15th days of every month",
    "0 0 21 * *": "At 00:00 on the 21st day of every month",
    "0 0 2,3,11-13,22,23,31 * *": (
        "At 00:00 on the second, third, 11th through 13th, 22nd, 23rd, and 31st days of every month"
    ),
    "0 0 10-20 * *": "At 00:00 on the 10th through 20th days of every month",
    "0 0 */2 * *": "At 00:00 on every second day from the first through the 31st of every month",
    "0 0 L * *": "At 00:00 on the last day of every month",
    "0 0 LW * *": "At 00:00 on the last weekday of every month",
    "0 0 * * 5L": "At 00:00 on the last Friday of every month",
    "0 0 * * MON#2": "At 00:00 on the second Monday of every month",
    "0 0 * * 1#1,1#3": "At 00:00 on the first Monday and the third Monday of every month",
    "0 0 1-7 * */7": "At 00:00 on the first Sunday of every month",
    "0 9 1 1,4,7,10 *": "At 09:00 on the first day of January, April, July, and October",
    "0 9 1 */3 *": "At 09:00 on the first day of January, April, July, and October",
    "@yearly": "At 00:00 on January 1",
    "0 0 29 2 *": "At 00:00 on February 29",
    "0 0 31 1,3 *": "At 00:00 on the 31st day of January and March",
    "0 0 31 1,3,5,7,8,10,12 *": "At 00:00 on the 31st day of every month",
    "0 0 * 6-8 *": "At 00:00 every day in June through August",
    "0 0 1-30 4 MON": "At 00:00 every day in April",
    "0 0 * 2 1": "At 00:00 on Monday in February",
    "0 0 13 * 5": "At 00:00 on Friday and the 13th day of every month",
    "0 0 13 6 5": "At 00:00 on Friday and the 13th day of the month in June",
    "0 0 */2 * 1": "At 00:00 on every second day from the first through the 31st of every month if it is Monday",
    "0 0 L * */7": "At 00:00 on the last day of every month if it is Sunday",
    "0 0 1-31 * MON": "At 00:00 every day",
    "0 0 1 * 0-7": "At 00:00 every day",
    "0 0 */1 * MON": "At 00:00 on Monday",
}


@pytest.mark.parametrize(("text", "expected"), DESCRIPTIONS.items())
def test_descriptions(text: str, expected: str) -> None:
    assert cron.describe(cron.parse(text)) == expected


YEARS = {(isleap(year), date(year, 1, 1).weekday()): year for year in range(2000, 2028)}.values()


def day_of(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


def fires(expression: cron.CronExpression) -> tuple[frozenset[int], frozenset[int], tuple[int, ...]]:
    """Return the days on which the expression fires, in one year of each of the 14 kinds."""
    days = (day for year in YEARS for day in expression.dates(day_of(year, 1, 1), day_of(year, 12, 31)))
    return expression.minutes, expression.hours, tuple(days)


def parsed(texts: Iterable[str]) -> Iterator[cron.CronExpression]:
    for text in texts:
        with suppress(cron.BadCron):  # it never fires
            yield cron.parse(text)


POOL = {fires(each): cron.describe(each) for each in parsed(DESCRIPTIONS)}


@settings(max_examples=100)
@given(st.lists(DAYS.map("0 0 {}".format), max_size=6))
def test_equal_fire_times_have_equal_descriptions_and_no_others(texts: list[str]) -> None:
    known = POOL.copy()
    for expression in parsed(texts):
        description = cron.describe(expression)
        assert known.setdefault(fires(expression), description) == description
    assert len(set(known.values())) == len(known)


@settings(max_examples=100)
@given(TIMES.map("{} * * *".format), TIMES.map("{} * * *".format))
def test_only_equal_times_of_day_have_equal_descriptions(text: str, other_text: str) -> None:
    one, other = cron.parse(text), cron.parse(other_text)

    assert (cron.describe(one) == cron.describe(other)) == (list(one.times) == list(other.times))


def test_description_of_days_that_many_spellings_have() -> None:
    spellings = ["0 0 * * MON", "0 0 */1 * 1", "0 0 * 1-12 1-1/3", "0 0 * * 1#1,1#2,1#3,1#4,1#5", "0 0 * * 1,1L"]

    assert {cron.describe(each) for each in parsed(spellings)} == {"At 00:00 on Monday"}
