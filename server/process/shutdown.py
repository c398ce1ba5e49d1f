"""Shutdown: a stopping process waits for its running requests and mutations, and cancels them at a deadline."""

import asyncio

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.process.stopping import LINGER_SECONDS

POLL_SECONDS = 0.02

log = structlog.stdlib.get_logger("mainsheet")


class RunningWork:
    """The requests that have no response yet, and the running mutations, whose clients may have left."""

    def __init__(self, shutdown_seconds: float, drain_seconds: float) -> None:
        self._seconds = shutdown_seconds
        self._drain_seconds = drain_seconds
        self._requests: dict[int, web.Request] = {}  # by identity: requests have no hash
        self._mutations: set[asyncio.Task[object]] = set()
        self._is_stopping = False
        self.is_withdrawn = False  # whether readiness checks fail, because the process is stopping

    @property
    def requests(self) -> int:
        return len(self._requests)

    @property
    def mutations(self) -> int:
        return len(self._mutations)

    @web.middleware
    async def track(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._requests[id(request)] = request
        try:
            response = await handler(request)
        finally:
            del self._requests[id(request)]
        if self._is_stopping:
            response.force_close()
        return response

    def add_mutation(self, task: asyncio.Task[object]) -> None:
        self._mutations.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._mutations.discard(task)
        if not task.cancelled():
            task.exception()  # retrieve it: nobody may be waiting for the task any more

    async def withdraw(self) -> None:
        """Fail readiness checks and go on answering, until load balancers have noticed."""
        self.is_withdrawn = True
        await asyncio.sleep(self._drain_seconds)

    async def linger(self, runner: web.BaseRunner) -> None:
        """Accept no new connections. Close each open one after its next response, or after `LINGER_SECONDS`."""
        self._is_stopping = True
        for site in list(runner.sites):
            await site.stop()
        rounds = round(min(LINGER_SECONDS, self._seconds) / POLL_SECONDS)
        for _ in range(rounds):
            if not (runner.server and runner.server.connections):
                return
            await asyncio.sleep(POLL_SECONDS)

    async def drain(self) -> None:
        """Wait for running requests and mutations. At the deadline, log and cancel the remaining ones."""
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.sleep(POLL_SECONDS)  # until those that have just arrived run
                while self._requests or self._mutations:  # noqa: ASYNC110 new ones may start while it waits
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            await self._cancel()

    async def _cancel(self) -> None:
        requests, mutations = list(self._requests.values()), list(self._mutations)
        log.error(
            "cut off at the shutdown deadline",
            count=len(requests),
            requests=sorted(map(_described, requests)),
            mutations=sorted(task.get_name() for task in mutations),
        )
        tasks = [*mutations, *(request.task for request in requests)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*mutations, return_exceptions=True)


def _described(request: web.Request) -> str:
    exchange = request.get(EXCHANGE)
    return (exchange and exchange.operation) or f"{request.method} {request.path}"
