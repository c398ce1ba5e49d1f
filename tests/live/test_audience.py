"""New events wake only subscriptions whose callers see one of them."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.models.database import Database
from mainsheet.models.event import START, Event
from mainsheet.models.member import Member
from mainsheet.resolvers import event_audience
from mainsheet.resolvers.event import by_ids, changes_by_ids
from mainsheet.resolvers.event_audience import audience
from mainsheet.resolvers.sql.pagination import cursor
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.server.live import feed_watch
from mainsheet.server.live.feed_watch import FeedWatch, Reader
from testbed.ask import Ask
from testbed.world import World, caller
from tests.live.conftest import PATIENCE
from tests.live.test_subscriptions import ADD, DELETE, REMOVE, end, rename

RENAME_ORGANIZATION = 'mutation { updateOrganization(input: {name: "Harbour"}) { userErrors { code } } }'
CREATE_TOKEN = 'mutation { createAccessToken(input: {name: "mine"}) { userErrors { code } } }'


async def _events(database: Database) -> list[Event]:
    async with AsyncSession(database.writes) as session:
        return list(await session.scalars(select(Event).order_by(Event.position)))


async def _sees(database: Database, member: Member, event: Event) -> bool:
    read = Read.of(database, caller(member))
    try:
        return bool(await by_ids(read, [event.id]) or await changes_by_ids(read, [event.id]))
    finally:
        await read.close()


async def test_the_audience_of_an_event_is_all_callers_who_see_it(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [world.analytics.id]})
    await ask(world.admin, REMOVE, input={"jobId": job_id, "teamId": world.data_eng.id})
    await ask(world.admin, DELETE, input={"jobId": hidden})
    await ask(world.admin, DELETE, input={"jobId": job_id})
    await ask(world.viewer, CREATE_TOKEN)
    await ask(world.admin, RENAME_ORGANIZATION)

    before, sizes = START, set()
    for event in await _events(database):
        found = await audience(database, world.organization.id, before, event.position)
        before = event.position
        for member in (world.team_admin, world.contributor, world.viewer, world.outsider):
            assert (member.id in found) == await _sees(database, member, event), event.action
        sizes.add(len(found) if isinstance(found, set) else None)
    assert sizes >= {None, 0, 1, 3}  # None is the whole organization


async def test_a_large_audience_is_the_whole_organization(
    database: Database, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_audience, "MOST", 1)
    (*_, last) = await _events(database)

    assert "anybody" in await audience(database, world.organization.id, START, last.position)


async def test_the_audience_of_events_is_of_one_organization(database: Database, world: World, job_id: str) -> None:
    (*_, last) = await _events(database)

    assert await audience(database, world.foreign.organization.id, START, last.position) == set()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_watch, "FEW", 0)


async def _waiting(watch: FeedWatch, ask: Ask, world: World, member: Member) -> Reader:
    """Return a reader that has read all of the feed."""
    return watch.add(Reader(world.organization.id, caller(member), cursor=await end(ask, world)))


async def _woken(*readers: Reader) -> None:
    """Wait until the readers are woken, and let them wait again."""
    for each in readers:
        assert isinstance(each.grown, asyncio.Event)
        await each.grown.wait()
        each.grown.clear()


@pytest.mark.usefixtures("few")
async def test_only_readers_that_see_an_event_are_woken(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    watch = FeedWatch(database, poll_seconds=0.01)
    seeing, blind, admin = [
        await _waiting(watch, ask, world, each) for each in (world.viewer, world.outsider, world.admin)
    ]
    async with asyncio.timeout(PATIENCE), watch.running():
        await _woken(seeing, blind, admin)  # at first, nothing is known of what they have read
        await rename(ask, world, job_id, "seen by two")
        await _woken(seeing, admin)

    assert not blind.grown.is_set()
    assert blind.cursor == await end(ask, world)


@pytest.mark.usefixtures("few")
async def test_a_reader_that_skipped_events_is_woken_by_the_next_event_that_it_sees(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    watch = FeedWatch(database, poll_seconds=0.01)
    blind, admin = [await _waiting(watch, ask, world, each) for each in (world.outsider, world.admin)]
    async with asyncio.timeout(PATIENCE), watch.running():
        await _woken(blind, admin)
        await rename(ask, world, job_id, "hidden")
        await _woken(admin)
        hidden = await end(ask, world)
        assert blind.cursor == hidden
        await ask(world.admin, RENAME_ORGANIZATION)
        await _woken(blind, admin)

    assert blind.cursor == hidden


@pytest.mark.parametrize("is_hanging", [True, False])
@pytest.mark.usefixtures("few")
async def test_all_readers_are_woken_when_the_audience_is_unknown(
    database: Database, ask: Ask, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch, *, is_hanging: bool
) -> None:
    async def fail(_database: Database, organization_id: str, _after: str, _to: str) -> set[str]:
        if is_hanging:
            await asyncio.Event().wait()
        raise LookupError(organization_id)

    monkeypatch.setattr(feed_watch, "audience", fail)
    watch = FeedWatch(database, poll_seconds=0.01)
    seeing, blind = [await _waiting(watch, ask, world, each) for each in (world.viewer, world.outsider)]
    foreign = watch.add(Reader(world.foreign.organization.id, caller(world.foreign.admin)))
    with capture_logs() as log:
        async with asyncio.timeout(PATIENCE), watch.running():
            await _woken(seeing, blind)
            await rename(ask, world, job_id, "seen by one")
            await ask(world.foreign.admin, RENAME_ORGANIZATION)
            await _woken(seeing, blind, foreign)

    assert {each["event"] for each in log} == {"audience of events unknown"}


@pytest.mark.parametrize("is_reading", [True, False])
@pytest.mark.usefixtures("few")
async def test_a_reader_that_may_have_missed_an_event_is_woken(
    database: Database, ask: Ask, world: World, job_id: str, *, is_reading: bool
) -> None:
    behind = None if is_reading else cursor.encode(Event.position, START, "")
    watch = FeedWatch(database, poll_seconds=0.01)
    blind = watch.add(Reader(world.organization.id, caller(world.outsider), cursor=behind))
    async with asyncio.timeout(PATIENCE), watch.running():
        await _woken(blind)
        await rename(ask, world, job_id, "hidden")
        await _woken(blind)

    assert blind.cursor == behind
