"""How long it takes to find fire times, and how long the event loop is held: `python -m benchmarks.fire_times`.

Times are CPU time of this thread, so that other processes don't matter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from time import thread_time
from typing import Any

from mainsheet.models import cron
from mainsheet.models.schedule import Schedule, describe
from mainsheet.resolvers import schedule
from mainsheet.resolvers.schedule import Preview

AFTER = datetime(2026, 11, 27, tzinfo=UTC)
READ: Any = None  # the batches need no database
REPEATED = 20
NEVER = "*/10 2 * 3 0L"  # in Berlin's skipped hour: the whole horizon is searched
SCHEDULES = ("*/5 * * * *", "30 4 * * *", "0 9 * * 1-5", "0 0 L * *", "0 0 29 2 *", "0 0 29 2 */7", NEVER)


def fastest(work: Callable[[], object]) -> float:
    """Return the least of several measurements, in milliseconds."""
    best = float("inf")
    for _ in range(REPEATED):
        began = thread_time()
        work()
        best = min(best, thread_time() - began)
    return best * 1000


async def longest_turn(work: Awaitable[object]) -> float:
    """Return the longest time between two turns of another task, in milliseconds."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = thread_time()
            await asyncio.sleep(0)
            longest = max(longest, thread_time() - began)

    watching = asyncio.create_task(watch())
    await work
    watching.cancel()
    return longest * 1000


async def aliases(text: str, number: int, count: int) -> None:
    """Do what an operation does that asks for one schedule under many aliases."""
    for _ in range(number):
        await schedule.fire_times(READ, [Schedule(cron=text, timezone="Europe/Berlin")], Preview(count, AFTER))


async def many_jobs(number: int) -> None:
    texts = [f"{each % 60} {each // 60 % 24} {1 + each // 1440}-31/3 * 1#1,5L" for each in range(number)]
    await schedule.descriptions(READ, texts)
    schedules = [Schedule(cron=each, timezone="America/Santiago") for each in texts]
    await schedule.fire_times(READ, schedules, Preview(5, AFTER))


def parse() -> None:
    cron.parse.cache_clear()
    cron.parse("0 9 1 1,4,7,10 *")


def main() -> None:
    for text in SCHEDULES:
        find = partial(Schedule(cron=text, timezone="Europe/Berlin").next_fire_times, AFTER, 100)
        print(f"{text:16} {len(find()):4} times {fastest(find):8.2f} ms")
    print(f"parse {fastest(parse):.3f} ms, describe {fastest(lambda: cron.describe(cron.parse('0 0 * * 5L'))):.3f} ms")
    describe.cache_clear()
    for name, work in {
        "99 aliases of a leap day, 100 times": aliases("0 0 29 2 *", 99, 100),
        "2000 aliases of one that never fires": aliases(NEVER, 2000, 1),
        "2000 jobs, all different": many_jobs(2000),
    }.items():
        print(f"{name}: the event loop is held {asyncio.run(longest_turn(work)):.1f} ms at most")


if __name__ == "__main__":
    main()
