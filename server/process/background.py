"""Work that the server repeats while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog

from mainsheet.models.failures import failures_passed_over

STOP_SECONDS = 5

log = structlog.stdlib.get_logger("mainsheet.background")


@asynccontextmanager
async def repeated(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Do the work now and every so many seconds inside this context. The next time does what a failed one didn't."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_repeat(name, seconds, work, stopping), name=name)
    try:
        yield
    finally:
        stopping.set()
        await finished(task)


async def finished(*tasks: asyncio.Task[None]) -> None:
    """Wait for tasks that are ending, and cancel them after `STOP_SECONDS`.

    A task that is cancelled in a statement may leave its connection open.
    """
    _, running = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    for each in running:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def errors_logged(name: str) -> Iterator[None]:
    """Log an unexpected error, which would end the task and nobody would notice, and go on."""
    try:
        yield
    except Exception:
        log.exception("background task failed", task=name)


async def _repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        with errors_logged(name), failures_passed_over():
            await work()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopping.wait()
