"""A time limit ends what runs inside as `asyncio.timeout` does. One timer serves all time limits."""

import asyncio

import pytest

from mainsheet.server.operations.time_limits import TimeLimits

SECONDS = 0.05
LONG = 3600


async def for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_what_takes_too_long_is_cancelled() -> None:
    time_limits, loop = TimeLimits(SECONDS), asyncio.get_running_loop()
    begun, cancelled_after = loop.time(), 0.0

    async def work() -> None:
        nonlocal cancelled_after
        try:
            await for_ever()
        except asyncio.CancelledError:
            cancelled_after = loop.time() - begun
            raise

    with pytest.raises(TimeoutError), time_limits.begin() as limit:
        await work()

    assert cancelled_after >= SECONDS
    assert limit.has_expired
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


async def test_each_has_its_own_time() -> None:
    time_limits, loop = TimeLimits(SECONDS), asyncio.get_running_loop()

    async def waiting() -> float:
        begun = loop.time()
        with pytest.raises(TimeoutError), time_limits.begin():
            await for_ever()
        return loop.time() - begun

    first = asyncio.create_task(waiting())
    second = loop.create_future()
    loop.call_later(SECONDS / 2, second.set_result, None)
    await second
    later = asyncio.create_task(waiting())

    assert min(await first, await later) >= SECONDS


async def test_what_ends_in_time_isnt_disturbed() -> None:
    time_limits = TimeLimits(SECONDS)

    with time_limits.begin() as limit:
        pass
    with pytest.raises(TimeoutError), time_limits.begin():  # its timer is that of the first
        await for_ever()

    assert not limit.has_expired


@pytest.mark.parametrize("error", [ValueError, TimeoutError])
async def test_another_error_stays_what_it_is(error: type[Exception]) -> None:
    with pytest.raises(error), TimeLimits(LONG).begin() as limit:
        raise error

    assert not limit.has_expired


async def test_a_cancellation_by_others_stays_one() -> None:
    async def cancelled(seconds: float) -> None:
        with TimeLimits(seconds).begin():
            try:
                await for_ever()
            except asyncio.CancelledError:
                if seconds == SECONDS:  # once more, after the limit
                    task.cancel()
                raise

    for seconds in (LONG, SECONDS):
        task = asyncio.create_task(cancelled(seconds))
        if seconds == LONG:
            asyncio.get_running_loop().call_soon(task.cancel)
        await asyncio.wait([task])
        assert task.cancelled()


async def test_the_outer_of_two_may_expire() -> None:
    with pytest.raises(TimeoutError), TimeLimits(SECONDS).begin() as outer, TimeLimits(LONG).begin() as inner:
        await for_ever()

    assert (outer.has_expired, inner.has_expired) == (True, False)
