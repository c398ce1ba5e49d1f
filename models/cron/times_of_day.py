"""Describing the times of a day, given as sets of minutes and hours."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from mainsheet.models.cron.words import joined, progression, runs, step_of

HOUR = 60  # minutes
DAY = 24 * HOUR
SHORTEST_INTERVAL = 5  # this many times at equal distances are said as an interval, fewer are listed
LONGEST_LIST = 6


class Times(NamedTuple):
    text: str
    is_whole_day: bool  # the text says "every hour", or an interval without an end


def describe_times(minutes: Collection[int], hours: Collection[int]) -> Times:
    times = [HOUR * hour + minute for hour in sorted(hours) for minute in sorted(minutes)]
    if len(times) >= SHORTEST_INTERVAL and (step := step_of(times)):
        return _interval(times, step)
    if len(hours) * HOUR == DAY:
        return Times(f"At {_numbers('minute', sorted(minutes), HOUR)} of every hour", is_whole_day=True)
    if len(times) <= LONGEST_LIST:
        return Times(f"At {joined([_clock(time) for time in times])}", is_whole_day=False)
    past = _numbers("hour", sorted(hours), DAY // HOUR)
    return Times(f"At {_numbers('minute', sorted(minutes), HOUR)} past {past}", is_whole_day=False)


def _interval(times: Sequence[int], step: int) -> Times:
    is_whole_day = len(times) * step == DAY
    if is_whole_day and step == HOUR:
        return Times(f"At minute {times[0]} of every hour" if times[0] else "At the start of every hour", True)
    amount, unit = (step // HOUR, "hour") if step % HOUR == 0 else (step, "minute")
    text = f"Every {unit}" if amount == 1 else f"Every {amount} {unit}s"
    if is_whole_day and not times[0]:
        return Times(text, is_whole_day)
    return Times(f"{text} from {_clock(times[0])} through {_clock(times[-1])}", is_whole_day=False)


def _numbers(unit: str, numbers: Sequence[int], whole: int) -> str:
    if len(numbers) == whole:
        return f"every {unit}"
    words = [*map(str, numbers)]
    if said := progression(unit, numbers, words):
        return said
    return f"{unit if len(words) == 1 else f'{unit}s'} {joined(runs(numbers, words))}"


def _clock(time: int) -> str:
    return f"{time // HOUR:02}:{time % HOUR:02}"
