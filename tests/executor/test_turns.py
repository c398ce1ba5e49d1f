"""Long work of many tasks: other tasks wait for one slice of it at a time."""

import asyncio
import re

import pytest

from mainsheet.executor import turns
from mainsheet.executor.turns import next_turn


@pytest.fixture(autouse=True)
def _slices_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)


async def work(log: list[str], name: str, slices: int) -> None:
    for _ in range(slices):
        await next_turn()
        log.append(name)


async def iterations(log: list[str], number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)
        log.append("-")


async def test_iterations_of_the_loop_lie_between_two_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_APART", 3600)
    log: list[str] = []

    await asyncio.gather(*[work(log, name, 3) for name in "abc"], iterations(log, 100))

    between = re.findall("[abc](-*)(?=[abc])", "".join(log))
    assert len(between) == 8
    assert min(map(len, between)) >= turns.APART - 1


async def test_slices_are_a_limited_time_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_APART", 0)
    log: list[str] = []

    await asyncio.gather(work(log, "a", 9), iterations(log, 100))

    assert max(map(len, re.findall("a(-*)(?=a)", "".join(log)))) < turns.APART - 1


async def test_tasks_take_turns() -> None:
    log: list[str] = []

    await asyncio.gather(*[work(log, name, 3) for name in "abc"])

    assert "".join(log) == "abcabcabc"


async def test_a_cancelled_task_blocks_no_other() -> None:
    log: list[str] = []
    tasks = [asyncio.create_task(work(log, name, 2)) for name in "abc"]
    await asyncio.sleep(0)

    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert "".join(log) == "bcbc"


async def test_a_slice_that_has_not_ended_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 3600)
    log: list[str] = []

    await asyncio.gather(work(log, "a", 3), work(log, "b", 3))

    assert sorted(log) == [*"aaabbb"]
    assert "".join(log) != "ababab"


def test_every_loop_has_turns_of_its_own() -> None:
    for _ in range(2):
        log: list[str] = []

        asyncio.run(work(log, "a", 2))

        assert log == ["a", "a"]
