"""Connects to one of several hosts of PostgreSQL."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no stubs


async def connect_to_first(*, dsns: Sequence[str], **options: Any) -> Any:
    """Connect to the host that answers first of those that have the wanted session attributes.

    The driver tries one after the other within one timeout. A host that doesn't even refuse, because its network is
    cut, would use all of it. Raises the error of one of the hosts if none can be used.
    """
    attempts = [asyncio.create_task(asyncpg.connect(**options | {"dsn": each})) for each in dsns]
    chosen: asyncio.Task[Any] | None = None
    try:
        chosen = await _first(attempts)
        return await chosen
    finally:
        for each in attempts:
            if each is not chosen:
                each.cancel()
                each.add_done_callback(_terminate)


async def _first(attempts: Sequence["asyncio.Task[Any]"]) -> "asyncio.Task[Any]":
    """Return the first attempt that succeeds, or one that failed if all do."""
    pending = set(attempts)
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        usable = [each for each in done if each.exception() is None]
        if usable or not pending:
            return (usable or list(done))[0]


def _terminate(attempt: "asyncio.Task[Any]") -> None:
    """Close a connection that isn't needed, at once: its server may have been cut off."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()
