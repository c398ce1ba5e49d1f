"""A receiver of webhooks on loopback, and the sender."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from standardwebhooks import Webhook as Verifier

from mainsheet.models.database import Database
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_delivery import WebhookDelivery
from mainsheet.models.webhook_lease import WebhookLease
from mainsheet.resolvers.commands.webhook_sending import read_feeds
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.webhooks.sender import WebhookSender
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_webhooks import done

LOOPBACK = [ip_network("127.0.0.0/8")]
PATIENCE = 30  # seconds
MINUTE = timedelta(minutes=1)
WEBHOOK = """query ($id: ID!) { webhook(id: $id) { isEnabled disabledReason lastDeliveredCursor
  deliveries(sortDirection: ASC) { nodes { status attempt responseStatus error nextAttemptAt event { cursor } } } } }"""
FEED = """query ($after: String, $actions: [EventAction!]) { events(after: $after, filter: {actions: $actions}) {
  nodes { id action cursor subjectId message actor { id } } } }"""
PAST = datetime(2020, 1, 1, tzinfo=UTC)
Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    request: web.Request
    body: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = orjson.loads(self.body)
        return message

    @property
    def label(self) -> str:
        label: str = self.message["data"]["subjectLabel"]
        return label

    def verify(self, secret: str) -> None:
        Verifier(secret).verify(self.body, dict(self.headers))


async def accept(_received: Received) -> web.StreamResponse:
    return web.Response()


@dataclass
class Receiver:
    """Keeps what it receives. `answer` makes the responses."""

    url: str = ""
    answer: Answer = accept
    requests: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request, await request.read())
        await self.requests.put(received)
        return await self.answer(received)

    async def next(self) -> Received:
        """Return the next request. Fails rather than wait for one that never comes."""
        async with asyncio.timeout(PATIENCE):
            return await self.requests.get()

    async def take(self, count: int) -> list[Received]:
        return [await self.next() for _ in range(count)]

    def will_answer(self, status: int, **headers: str) -> None:
        async def answer(_received: Received) -> web.StreamResponse:
            return web.Response(status=status, headers=headers)

        self.answer = answer


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/in", receiver.handle)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/in"))
        yield receiver


@asynccontextmanager
async def sending(database: Database, retry_seconds: float = 0) -> AsyncIterator[WebhookSender]:
    """Run the sender. It reads as soon as there is something new, and without a notification after a short time."""
    watch = FeedWatch(database, poll_seconds=0.01)
    sender = WebhookSender(database, watch, LOOPBACK, poll_seconds=0.01, retry_seconds=retry_seconds)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(watch.running())
        await stack.enter_async_context(asynccontextmanager(sender.running)(web.Application()))
        yield sender


async def created(ask: Ask, world: World, receiver: Receiver, **values: Any) -> tuple[str, str]:
    """Create a webhook, by default for changes of jobs, and return its id and secret."""
    own = {"url": receiver.url, "filter": {"actions": ["JOB_CREATED", "JOB_UPDATED"]}} | values
    made = await done(ask, world.admin, "createWebhook", **own)
    return made["webhook"]["id"], made["secret"]


async def renamed(ask: Ask, world: World, job_id: str, *names: str) -> None:
    query = "mutation ($i: UpdateJobInput!) { updateJob(input: $i) { userErrors { code } } }"
    for name in names:
        answer = await ask(world.contributor, query, i={"jobId": job_id, "name": name})
        assert answer["updateJob"]["userErrors"] == []


async def deliveries(database: Database) -> Sequence[WebhookDelivery]:
    async with AsyncSession(database.reads) as session:
        return (await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.position))).all()


async def webhook_row(database: Database, webhook_id: str) -> Webhook:
    async with AsyncSession(database.reads) as session:
        return await session.get_one(Webhook, webhook_id)


async def until(database: Database, *statuses: str) -> Sequence[WebhookDelivery]:
    """Wait until the deliveries have these statuses, in the order of their events."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await deliveries(database)
            if [each.status for each in found] == [*statuses]:
                return found


async def until_ended(database: Database, delivery_id: str, attempt: int) -> WebhookDelivery:
    """Wait until the attempt of the delivery has ended."""
    async with asyncio.timeout(PATIENCE):
        while True:
            (found,) = [each for each in await deliveries(database) if each.id == delivery_id]
            if found.attempt == attempt:
                return found


async def read_whole_feed(database: Database) -> None:
    """Add the deliveries of all events, without sending them."""
    while await read_feeds(database):
        pass


async def make_due(database: Database) -> None:
    """Let the next attempts be due, by the database's clock."""
    async with AsyncSession(database.writes) as session, session.begin():
        is_later = WebhookDelivery.next_attempt_at.is_not(None)
        await session.execute(update(WebhookDelivery).where(is_later).values(next_attempt_at=PAST))


async def end_lease(database: Database) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(WebhookLease).values(expires_at=PAST))


async def fail_since(database: Database, webhook_id: str, ago: timedelta) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        webhook = await session.get_one(Webhook, webhook_id)
        assert webhook.failing_since is not None
        webhook.failing_since -= ago


async def shown(ask: Ask, world: World, webhook_id: str) -> Any:
    return (await ask(world.admin, WEBHOOK, id=webhook_id))["webhook"]
