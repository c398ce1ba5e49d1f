import asyncio
from datetime import UTC, datetime
from typing import Any

from mainsheet.models.schedule import Schedule
from mainsheet.resolvers import schedule
from mainsheet.resolvers.schedule import Preview

READ: Any = None  # the batches need no database
PREVIEW = Preview(100, datetime(2026, 1, 1, tzinfo=UTC))


def schedules(count: int) -> list[Schedule]:
    """Return slow schedules: their only times are skipped by the clock, so all 100 years are searched."""
    return [Schedule(cron="*/10 2 * 3 0L", timezone="Europe/Berlin", max_concurrent_runs=each) for each in range(count)]


async def turns_during(work: Any) -> int:
    """Return how often another task ran during the work."""
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(take_turns())
    await work
    task.cancel()
    return turns


async def test_a_long_batch_lets_other_tasks_run() -> None:
    turns = await turns_during(schedule.fire_times(READ, schedules(100), PREVIEW))

    assert turns >= 5


async def test_each_of_many_batches_lets_other_tasks_run() -> None:
    async def ask_one_by_one() -> None:
        for each in schedules(20):
            await schedule.fire_times(READ, [each], PREVIEW)
            await schedule.descriptions(READ, [each.cron])

    assert await turns_during(ask_one_by_one()) >= 40


async def test_a_long_batch_can_be_cancelled() -> None:
    task = asyncio.create_task(asyncio.wait_for(schedule.fire_times(READ, schedules(2_000), PREVIEW), 0.01))

    done, _ = await asyncio.wait([task])

    assert isinstance(done.pop().exception(), TimeoutError)
