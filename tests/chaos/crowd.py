"""Clients that work on the same jobs concurrently."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from random import Random

import aiohttp
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.roles import AccessScope, OrganizationRole
from testbed.world import World, make_member, make_team, make_world
from tests.chaos.client import Client, Endpoint
from tests.chaos.ledger import Ledger
from tests.chaos.steps import Steps

TEAMS = 10
RECOVERY_SECONDS = 60


@dataclass(frozen=True)
class Scale:
    """How much is done: `times` for each fault, with so many `changes` before it."""

    times: int
    changes: int
    seconds: float


@dataclass
class Crowd:
    clients: list[Client]
    ledger: Ledger
    steps: Steps
    world: World

    @asynccontextmanager
    async def at_work(self, *servers: Endpoint) -> AsyncIterator[None]:
        """Run all clients inside this context, some at each server, and wait for their last responses at its end."""
        stopped = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for each, server in zip(self.clients, cycle(servers), strict=False):
                tasks.create_task(each.work(server, stopped))
            yield
            stopped.set()

    def let_leave(self, restlessness: float) -> None:
        """Let clients disconnect before the response, for this share of their requests."""
        for each in self.clients:
            each.restlessness = restlessness

    async def rounds(self, scale: Scale) -> AsyncIterator[None]:
        """Yield for each round: before it wait for changes, after it until each client is served again."""
        for _ in range(scale.times):
            await self.changes(scale.changes)
            yield
            await self.recovered()

    async def changes(self, count: int) -> None:
        """Wait until this many more changes are acknowledged."""
        goal = self.ledger.done.total() + count
        await self._until(lambda: self.ledger.done.total() >= goal)

    async def recovered(self) -> None:
        """Wait until each client has been served again."""
        before = [(each, each.answered) for each in self.clients]
        await self._until(lambda: all(each.answered > then for each, then in before))

    async def failures(self, count: int) -> None:
        """Wait until clients have got this many more failures."""
        goal = self.ledger.failures.total() + count
        await self._until(lambda: self.ledger.failures.total() >= goal)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(RECOVERY_SECONDS), self.ledger.progress:
                await self.ledger.progress.wait_for(is_so)
        except TimeoutError as error:
            error.add_note(f"So far: {dict(self.ledger.answers)}; surprises: {self.ledger.surprises}")
            raise


@asynccontextmanager
async def crowd_at(database_url: str, size: int = 8, seed: int = 1) -> AsyncIterator[Crowd]:
    """Return a crowd for a migrated database, each client with a token. None of them works yet."""
    database = Database.open(database_url)
    try:
        world = await make_world(database)
        members, team_ids = await _people(database, world, size)
    finally:
        await database.close()
    steps = Steps(world.cluster.id, world.data_eng.id, team_ids, Random(seed))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        crowd = Crowd([], Ledger(), steps, world)
        for index, (actor_id, token) in enumerate(members.items()):
            name = f"client{index}"
            crowd.clients.append(Client(name, actor_id, token, http, steps, crowd.ledger))
        yield crowd


async def _people(database: Database, world: World, size: int) -> tuple[dict[str, str], list[str]]:
    """Return tokens by member, and teams."""
    admin = {"organization_role": OrganizationRole.ADMIN}
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        members = [await make_member(session, world.organization, **admin) for _ in range(size)]
        teams = [await make_team(session, world.organization) for _ in range(TEAMS)]
        return {each.id: _token(session, each) for each in members}, [each.id for each in teams]


def _token(session: AsyncSession, member: Member) -> str:
    now = datetime.now(UTC)
    token, secret = AccessToken.issue(
        member.organization_id, member.id, now, expires_at=None, name=None, scopes=AccessScope
    )
    session.add(token)
    return secret
