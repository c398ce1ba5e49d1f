"""A server sets the interpreter's switch interval while it runs."""

import sys

import pytest

from mainsheet.executor.turns import SLICE
from mainsheet.server.commands.worker import serving
from mainsheet.server.process.listening import Listening
from mainsheet.server.settings import Settings


async def test_the_event_loop_waits_one_slice_for_the_worker_thread(sqlite_url: str) -> None:
    before = sys.getswitchinterval()

    async with serving(Settings(database_url=sqlite_url), Listening([], []), []):
        during = sys.getswitchinterval()

    assert during == pytest.approx(SLICE)
    assert sys.getswitchinterval() == before
