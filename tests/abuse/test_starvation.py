"""One member overloads the server; a member of another organization is still served in time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.member import Member
from testbed.ask import Ask
from testbed.world import World, make_world, token
from tests.chaos.server import Server, serving

JOBS = 20
ALIASES = 600
CONNECTIONS = 110
MUTATIONS = 400
SETTINGS = {
    "max_connections_per_address": 1000,  # all clients have one address
    "organization_share": 0.75,
    "queue_seconds": 0.5,  # as by default, which is less than in other tests
}
REFUSALS = {429, 503}  # too many of the caller's operations wait, or the queue is long
ROUNDS = 10
PATIENCE_SECONDS = 60

SEARCH = '{ jobs(limit: 100, filter: {search: "job"}) { nodes { name } } }'
SEARCHES = "{" + " ".join(f"a{number}: {SEARCH[2:-2]}" for number in range(ALIASES)) + "}"
RENAME = "mutation ($id: ID!, $name: String!) { updateJob(input: {jobId: $id, name: $name}) { job { name } } }"
RENAMES = "mutation ($id: ID!) {{ {} }}".format(
    " ".join(
        f'm{number}: updateJob(input: {{jobId: $id, name: "all {number}"}}) {{ job {{ name }} }}'
        for number in range(MUTATIONS)
    )
)
OWN = "query ($id: ID!) { job(id: $id) { name } jobs { totalCount } }"


@dataclass
class Client:
    """A member with any number of connections."""

    http: aiohttp.ClientSession
    url: str
    secret: str
    answers: Counter[int] = field(default_factory=Counter)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.secret}"}
        body = {"query": query, "variables": variables}
        async with self.http.post(self.url, json=body, headers=headers) as response:
            self.answers[response.status] += 1
            answer: dict[str, Any] = await response.json()
            return answer


@dataclass
class Abuse:
    """A server with two organizations: `attacker` and its job, `victim` and its job."""

    server: Server
    database: Database
    world: World
    attacker: Client
    attacked_job: str
    victim: Client
    victims_job: str

    async def victim_works_until(self, is_enough: Callable[[], bool]) -> None:
        """Change and read the victim's job for some rounds. Asserts that each response is correct."""
        number = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while number < ROUNDS or not is_enough():
                number += 1
                await self.victim.ask(RENAME, id=self.victims_job, name=f"mine {number}")
                answer = await self.victim.ask(OWN, id=self.victims_job)
                assert answer == {"data": {"job": {"name": f"mine {number}"}, "jobs": {"totalCount": 1}}}
        assert self.victim.answers == {200: 2 * number}

    async def changes(self) -> int:
        """Count the attacker's changes when the server has finished them."""
        assert await self.server.stop() == 0
        return await self.changes_until_now()

    async def changes_until_now(self) -> int:
        async with self.database.reads.connect() as connection:
            changes = select(func.count()).where(Event.job_id == self.attacked_job)
            return (await connection.scalar(changes) or 0) - 1  # its creation


@pytest.fixture
async def abuse(database_url: str, tmp_path: Path) -> AsyncIterator[Abuse]:
    database = Database.open(database_url)
    world = await make_world(database)
    ask = Ask(database)
    names = [f"job-{number}" for number in range(JOBS)]
    jobs = [await ask.create_job(world.team_admin, world, jobKey=name, name=name) for name in names]
    foreign = world.foreign
    config = {"clusterId": foreign.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    job = await ask.create_job(foreign.admin, world, teamIds=[foreign.team.id], config=config)
    async with (
        serving(database_url, tmp_path / "log", **SETTINGS) as server,
        _client(server, database, world.team_admin) as attacker,
        _client(server, database, foreign.admin) as victim,
    ):
        yield Abuse(server, database, world, attacker, jobs[0], victim, job)
    await database.close()


@asynccontextmanager
async def _client(server: Server, database: Database, member: Member) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield Client(http, server.url, await token(database, member))


@asynccontextmanager
async def leaving(*tasks: asyncio.Task[Any]) -> AsyncIterator[None]:
    """Disconnect the clients of these requests at the end."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_large_searches_dont_slow_other_organizations(abuse: Abuse) -> None:
    async def search() -> None:
        with suppress(aiohttp.ClientConnectionError):
            while True:
                await abuse.attacker.ask(SEARCHES)

    searches = [asyncio.create_task(search()) for _ in range(CONNECTIONS)]
    async with leaving(*searches):
        await abuse.victim_works_until(lambda: {200} < abuse.attacker.answers.keys())

    assert abuse.attacker.answers.keys() <= {200, *REFUSALS}


async def test_abandoned_mutations_dont_slow_other_organizations(abuse: Abuse) -> None:
    job, ask = abuse.attacked_job, abuse.attacker.ask
    requests = [asyncio.create_task(ask(RENAME, id=job, name=f"one of {n}")) for n in range(MUTATIONS)]
    async with leaving(*requests):
        for answered in islice(asyncio.as_completed(requests), MUTATIONS * 2 // 3):  # most of them with a refusal
            await answered

    await abuse.victim_works_until(lambda: True)

    assert abuse.attacker.answers.keys() & REFUSALS
    assert abuse.attacker.answers.keys() <= {200, *REFUSALS}
    assert 0 < await abuse.changes() < MUTATIONS / 2


async def test_fields_of_an_abandoned_mutation_are_dropped(abuse: Abuse) -> None:
    request = asyncio.create_task(abuse.attacker.ask(RENAMES, id=abuse.attacked_job))
    async with leaving(request), asyncio.timeout(PATIENCE_SECONDS):
        while not await abuse.changes_until_now():
            await abuse.victim.ask(OWN, id=abuse.victims_job)
        assert not request.done()

    assert 0 < await abuse.changes() < MUTATIONS
