"""Sends events to webhooks while the server runs.

All processes run it, and one of them, the holder of a lease, sends. It reads the feeds like any subscription, adds a
delivery for each event, and attempts those that are due. If it dies, another process continues when the lease expires:
what was being sent then is sent again.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from aiohttp import web

from mainsheet.models.clock import process_time
from mainsheet.models.database import Database
from mainsheet.models.failures import failures_passed_over
from mainsheet.models.webhook_delivery import Outcome
from mainsheet.resolvers import config_diff, event
from mainsheet.resolvers.commands.webhook_sending import (
    Due,
    due,
    hold_lease,
    read_feeds,
    reader_of,
    record,
    release_lease,
    valid_secrets,
    watched_organizations,
)
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.server.live.feed_watch import FeedWatch, Reader
from mainsheet.server.process.background import errors_logged
from mainsheet.server.webhooks.addresses import Network
from mainsheet.server.webhooks.client import TIMEOUT_SECONDS, WebhookClient
from mainsheet.server.webhooks.message import body_of, headers_of

LEASE_SECONDS = 30.0
RETRY_SECONDS = 5.0
AT_ONCE = 100  # attempts of all webhooks
GATHER_SECONDS = 0.02  # attempts that end within it are followed by one look at what is due, not by one each
TASK = "webhooks"
EXPIRED = Outcome(None, "The event has expired.", is_final=True, is_attempt=False)

log = structlog.stdlib.get_logger("mainsheet.webhooks")


class WebhookSender:
    def __init__(
        self,
        database: Database,
        watch: FeedWatch,
        networks: Sequence[Network],
        poll_seconds: float = 1,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._database = database
        self._watch = watch
        self._networks = networks
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds  # before a delivery is attempted again whose outcome can't be stored
        self._holder = secrets.token_hex(16)
        self._lease_ends = 0.0  # by this process's monotonic clock
        self._wake = asyncio.Event()
        self._watched: dict[str, Reader] = {}
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._requests: set[asyncio.Task[Outcome]] = set()
        self._stopping = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None  # runs from the end of an attempt to the next look

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Send while the application runs."""
        self._client = WebhookClient(self._networks)
        task = asyncio.create_task(self._run(), name=TASK)
        try:
            yield
        finally:
            self._stopping.set()
            self._wake.set()
            for each in self._requests:
                each.cancel()
            # Tasks are not cancelled, because that would leave the connection of a running statement open.
            await asyncio.gather(task, *self._attempts.values(), return_exceptions=True)
            await self._client.close()
            self._watch_feeds(set())
            if self._lease_ends:
                with errors_logged(TASK), failures_passed_over():
                    await release_lease(self._database, self._holder)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            with errors_logged(TASK), failures_passed_over():
                await self._step()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._wake.wait()

    async def _step(self) -> None:
        """Read on in the feeds, and send what is due. Do nothing without webhooks or the lease."""
        organizations = await watched_organizations(self._database)
        if not organizations or not await self._holds_lease():
            return
        self._watch_feeds(organizations)
        with errors_logged(TASK), failures_passed_over():
            if await read_feeds(self._database):
                self._wake.set()
        if not await self._holds_lease():  # reading may have taken long
            return
        begun = set(self._attempts)  # those that end during the statement are due in its snapshot
        for each in await due(self._database):
            if each.id not in begun and len(self._attempts) < AT_ONCE and self._may_begin():
                self._attempts[each.id] = asyncio.create_task(self._attempt(each), name=f"{TASK} {each.id}")

    async def _holds_lease(self) -> bool:
        """Take the lease, or renew it when a third of it has passed."""
        now = time.monotonic()
        if now < self._lease_ends - LEASE_SECONDS * 2 / 3:
            return True
        is_held = await hold_lease(self._database, self._holder, timedelta(seconds=LEASE_SECONDS))
        self._lease_ends = now + LEASE_SECONDS if is_held else 0.0
        return is_held

    def _may_begin(self) -> bool:
        """Whether an attempt would end before the lease does, so that two processes never send at once."""
        return not self._stopping.is_set() and time.monotonic() + TIMEOUT_SECONDS < self._lease_ends

    def _watch_feeds(self, organizations: set[str]) -> None:
        for each in organizations - self._watched.keys():
            self._watched[each] = self._watch.add(Reader(each, grown=self._wake))
        for each in self._watched.keys() - organizations:
            self._watch.remove(self._watched.pop(each))

    async def _attempt(self, delivery: Due) -> None:
        is_ended, begun = False, time.perf_counter()
        with errors_logged(TASK), failures_passed_over():
            outcome = await self._sent(delivery)
            if outcome is not None:
                self._report(delivery, outcome, time.perf_counter() - begun)
                await record(self._database, delivery, outcome)
            is_ended = True
        if not is_ended:  # the message may have been sent, and would be again and again
            with suppress(TimeoutError):
                async with asyncio.timeout(self._retry_seconds):
                    await self._stopping.wait()
        del self._attempts[delivery.id]
        self._look_soon()

    def _look_soon(self) -> None:
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._look)

    def _look(self) -> None:
        self._gathering = None
        self._wake.set()

    def _report(self, delivery: Due, outcome: Outcome, seconds: float) -> None:
        if outcome.is_attempt:
            self._database.instrumentation.attempted("failed" if outcome.error else "succeeded", seconds)
        if outcome.error:
            details = {"webhook": delivery.webhook_id, "delivery": delivery.id, "attempt": delivery.attempt}
            log.info("webhook delivery failed", **details, reason=outcome.error)

    async def _sent(self, delivery: Due) -> Outcome | None:
        """Send the message. Return None if that was cut off, so that another process sends it again.

        Send nothing if the webhook was deleted meanwhile, which has no secret then.
        """
        body = await self._body(delivery)
        if body is None:
            return EXPIRED
        signing = await valid_secrets(self._database, delivery.webhook_id)
        if not (signing and self._may_begin()):  # the statements may have taken long
            return None
        headers = headers_of(delivery.event_id, process_time(), body, signing)
        request = asyncio.create_task(self._client.send(delivery.url, headers, body), name=f"{TASK} request")
        self._requests.add(request)
        await asyncio.wait([request])
        self._requests.discard(request)
        return None if request.cancelled() else request.result()

    async def _body(self, delivery: Due) -> bytes | None:
        """Return the message about the event, or None if the event has expired."""
        read = Read.of(self._database, reader_of(delivery.organization_id))
        try:
            found = await event.by_ids(read, [delivery.event_id])
            changes = await config_diff.of_events(read, [delivery.event_id])
        finally:
            await read.close()
        row = found.get(delivery.event_id)
        return None if row is None else body_of(row, changes.get(row.id, []))
