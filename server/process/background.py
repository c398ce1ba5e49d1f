"""Work that the server repeats while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from mainsheet.models.failures import failures_passed_over

log = structlog.stdlib.get_logger("mainsheet.background")


@asynccontextmanager
async def repeated(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do the work now and every so many seconds inside this context. The next time does what a failed one didn't."""
    task = asyncio.create_task(_repeat(name, seconds, work), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def errors_logged(name: str) -> Iterator[None]:
    """Log an unexpected error, which would end the task and nobody would notice, and go on."""
    try:
        yield
    except Exception:
        log.exception("background task failed", task=name)


async def _repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        with errors_logged(name), failures_passed_over():
            await work()
        await asyncio.sleep(seconds)
