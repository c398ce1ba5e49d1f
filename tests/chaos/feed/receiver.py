"""A receiver of webhooks that fails now and then, before or after it has stored the event."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from random import Random

import orjson
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from mainsheet.models.event import Event


class Failure(Enum):
    REFUSED = "it answers 503"
    CUT_BEFORE = "the connection is cut, and the event is stored"
    CUT_AFTER = "the event is stored, and the connection is cut"


@dataclass
class Receiver:
    """Stores the ids of events for each path. `failures` is the share of requests that fail."""

    address: str
    chance: Random
    failures: float
    secrets: dict[str, str] = field(default_factory=dict)
    stored: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    doubles: int = 0
    failed: int = 0
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)
    port: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{name}", self._receive)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.address, self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections, and drop those that are open."""
        runner, self._runner = self._runner, None
        if runner:
            await runner.cleanup()

    @property
    def is_running(self) -> bool:
        return self._runner is not None

    def url(self, name: str) -> str:
        return f"http://{self.address}:{self.port}/{name}"

    async def has(self, name: str, ids: set[str]) -> None:
        """Wait until all these events are stored."""
        async with self.progress:
            await self.progress.wait_for(lambda: ids <= self.stored[name].keys())

    async def _receive(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await request.read()
        Verifier(self.secrets[name]).verify(body, dict(request.headers))
        failure = self.chance.choice(list(Failure)) if self.chance.random() < self.failures else None
        self.failed += failure is not None
        if failure is Failure.REFUSED:
            return web.Response(status=503)
        if failure is Failure.CUT_BEFORE:
            self._cut(request)
        await self._store(name, orjson.loads(body)["id"])
        if failure is Failure.CUT_AFTER:
            self._cut(request)
        return web.Response(status=204)

    async def _store(self, name: str, event_id: str) -> None:
        self.doubles += event_id in self.stored[name]
        self.stored[name].setdefault(event_id)
        async with self.progress:
            self.progress.notify_all()

    def _cut(self, request: web.Request) -> None:
        assert request.transport
        request.transport.abort()


def by_order_key(events: list[Event]) -> dict[str, list[str]]:
    """Return the ids of events for each object whose events webhooks deliver in order."""
    found = defaultdict(list)
    for each in events:
        found[each.job_id or each.subject_id].append(each.id)
    return found
