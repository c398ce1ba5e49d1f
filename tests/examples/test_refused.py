"""The plane names the operation that was refused, also if a nested group of tasks has its error."""

import asyncio

import pytest

from examples.plane.__main__ import first_of
from examples.plane.client import Refused


async def _refused() -> None:
    raise Refused("no scope RUNS")


async def _inner() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_refused())


async def _outer() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_inner())


def test_the_first_error_of_nested_groups_is_named() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(_outer())

    assert isinstance(raised.value.exceptions[0], ExceptionGroup)
    assert str(first_of(raised.value)) == "no scope RUNS"
