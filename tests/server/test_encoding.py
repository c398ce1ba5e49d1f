"""Encoding in pieces gives the same bytes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainsheet.executor import turns
from mainsheet.server.http.encoding import CHUNK, FEW, encoded

LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(datetime(2026, 1, 1, tzinfo=UTC))
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=100)


@given(VALUES)
async def test_the_bytes_are_those_of_one_piece(value: Any) -> None:
    assert await encoded(value) == orjson.dumps(value)


@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW, FEW + 1, FEW + CHUNK])
async def test_lists_are_encoded_in_chunks(count: int) -> None:
    value = {"jobs": {"nodes": [{"name": "ä", "id": number} for number in range(count)]}}

    assert await encoded(value) == orjson.dumps(value)


async def test_other_tasks_run_between_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0)
    running = asyncio.create_task(encoded({"jobs": {"nodes": [{"name": "x"}] * 100}}))
    others = 0
    while not running.done():
        await asyncio.sleep(0)
        others += 1

    assert others > 10
