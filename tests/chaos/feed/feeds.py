"""The feeds of two organizations, with their readers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.organization import Organization
from testbed.world import World, make_cluster, token
from tests.chaos.feed.readers import END, OverEventStream, OverWebSocket, Poller, Reader
from tests.chaos.feed.receiver import Receiver
from tests.chaos.feed.writers import write_end
from tests.chaos.server import Server

CREATE = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret userErrors { code } } }"
NOW = "{ events(last: 1) { pageInfo { endCursor } nodes { id } } }"


@dataclass
class Feed:
    """The feed of an organization. Subscriptions and the webhook may read the events of some subjects only."""

    organization: Organization
    admin_id: str
    token: str
    last: Cluster  # the subject of the last event
    subscribed: Sequence[str] | None = None
    delivered: Sequence[str] | None = None
    begin: str = ""  # the id of the event after which the readers begin
    readers: list[Reader] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.organization.name

    async def create_webhook(self, http: aiohttp.ClientSession, server: Server, receiver: Receiver) -> None:
        values = {"url": receiver.url(self.name), "filter": _filter(self.delivered)}
        created = (await self._ask(http, server, CREATE, input=values))["createWebhook"]
        assert created["userErrors"] == []
        receiver.secrets[self.name] = created["secret"]

    async def add_readers(
        self, http: aiohttp.ClientSession, servers: Sequence[Server], chance: Random, most: int
    ) -> None:
        """Let readers begin after the events so far."""
        now = (await self._ask(http, servers[0], NOW))["events"]
        self.begin, after = now["nodes"][0]["id"], now["pageInfo"]["endCursor"]
        kinds: list[tuple[type[Reader], Sequence[str] | None]]
        kinds = [(Poller, None), (OverWebSocket, self.subscribed), (OverEventStream, self.subscribed)]
        for kind, subjects in kinds:
            own = Random(chance.random())
            self.readers.append(kind(servers, http, self.token, after, _filter(subjects), own, most))

    async def end(self, database: Database) -> None:
        await write_end(database, self.last, self.admin_id, END)

    async def events(self, database: Database) -> list[Event]:
        """Return the events of the table from the readers' begin to the end, in the order of the feed."""
        async with AsyncSession(database.reads) as session:
            own = select(Event).where(Event.organization_id == self.organization.id).order_by(Event.position)
            events = list(await session.scalars(own))
        ids, labels = [each.id for each in events], [each.subject_label for each in events]
        return events[ids.index(self.begin) + 1 : labels.index(END) + 1]

    async def _ask(self, http: aiohttp.ClientSession, server: Server, query: str, **variables: Any) -> Any:
        body, headers = {"query": query, "variables": variables}, {"Authorization": f"Bearer {self.token}"}
        async with http.post(server.url, json=body, headers=headers) as response:
            return (await response.json())["data"]


async def make_feeds(
    database: Database, world: World, count: int, subscribed: int, delivered: int
) -> tuple[Feed, Feed, list[Cluster]]:
    """Return the feeds of the crowd's and of the other organization, and so many clusters of the latter."""
    foreign = world.foreign
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        clusters = [await make_cluster(session, foreign.organization) for _ in range(count)]
    ids = [each.id for each in clusters]
    tokens = await asyncio.gather(*(token(database, each) for each in (world.admin, foreign.admin)))
    return (
        Feed(world.organization, world.admin.id, tokens[0], world.cluster),
        Feed(foreign.organization, foreign.admin.id, tokens[1], clusters[0], ids[:subscribed], ids[:delivered]),
        clusters,
    )


def is_of(event: Event, subjects: Sequence[str] | None) -> bool:
    return subjects is None or event.subject_id in subjects


def _filter(subjects: Sequence[str] | None) -> dict[str, Sequence[str]] | None:
    return None if subjects is None else {"subjectIds": subjects}
