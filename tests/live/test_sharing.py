"""Callers with the same rights share the executions of equal subscriptions, and each gets what it would get alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.executor import Executor, Prepared
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.models.unavailable import DatabaseDown, NoConnection, TooSlow
from mainsheet.resolvers import event as event_rows
from mainsheet.resolvers import event_visibility
from mainsheet.server.errors import RateLimited
from mainsheet.server.live import deliveries, execution
from mainsheet.server.live.execution import Execution
from testbed.ask import Ask
from testbed.world import World, caller, make_member, make_membership
from tests.live.conftest import Live, Socket
from tests.live.crowd import Crowd, Received, crowd_of, read_all
from tests.live.test_subscriptions import ADD, DELETE, REMOVE, ready, rename

JOBS = "subscription { jobs { isRemoved job { name } } }"
EVENTS = "subscription { events { action job { name } } }"
PERMISSIONS = "subscription { jobs { job { name viewerPermissions } } }"
OTHER_JOBS = "subscription { jobs { job { name dependents { totalCount } } } }"
SUBJECTS = "subscription { events { action subject { ... on AccessToken { name } ... on Team { name } } } }"
SET_ROLE = "mutation ($input: SetTeamRoleInput!) { setTeamRole(input: $input) { userErrors { code } } }"
CREATE_TOKEN = 'mutation { createAccessToken(input: {name: "mine"}) { userErrors { code } } }'
RENAME_ORGANIZATION = 'mutation { updateOrganization(input: {name: "Harbour"}) { userErrors { code } } }'


@pytest.fixture
async def crowd(database: Database) -> AsyncIterator[Crowd]:
    async with crowd_of(database) as crowd:
        yield crowd


@pytest.fixture
async def viewers(database: Database, world: World) -> list[Member]:
    """Members with the rights of `world.viewer`, and that one."""
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        members = [await make_member(session, world.organization) for _ in range(2)]
        for each in members:
            await make_membership(session, world.data_eng, each)
    return [world.viewer, *members]


@pytest.fixture
async def auditors(database: Database, world: World) -> list[Member]:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        more = [
            await make_member(session, world.organization, organization_role=OrganizationRole.AUDITOR) for _ in range(2)
        ]
    return [world.auditor, *more]


async def leave(database: Database, *members: Member) -> None:
    """Take all roles in teams of these members, without an event."""
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(delete(TeamMember).where(TeamMember.actor_id.in_([each.id for each in members])))


async def enter(database: Database, team: Team, member: Member, role: TeamRole = TeamRole.VIEWER) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await make_membership(session, team, member, role)


async def test_callers_with_the_same_rights_share_an_execution(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    *receiving, blind = await subscribed(crowd, ask, world, job_id, JOBS, *viewers, world.outsider)
    crowd.count()
    await rename(ask, world, job_id, "second")
    await crowd.settled()

    names = ["first", "second"]
    assert [[each["job"]["name"] for each in received] for received in receiving] == [names] * 3
    assert (crowd.count(), list(blind), crowd.subscriptions.groups) == (1, [], 1)


async def test_roles_in_a_team_matter_if_the_operation_reads_them(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    for query, expected in ((JOBS, 1), (PERMISSIONS, 2)):
        receiving = crowd.subscribe(query, *viewers, world.contributor)
        await crowd.settled()
        for name in ("first", "second"):
            crowd.count()
            await rename(ask, world, job_id, name)
            await crowd.settled()
        assert {len(each) for each in receiving} == {2}
        assert crowd.count() == expected + (query != JOBS)  # the subscriptions of the loop's first turn go on
    assert receiving[0][-1]["job"]["viewerPermissions"] == ["VIEW"]
    assert receiving[-1][-1]["job"]["viewerPermissions"] == ["VIEW", "EDIT", "RUN"]


async def test_teams_without_the_job_matter_if_the_operation_reads_other_jobs(
    database: Database, crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    await enter(database, world.platform, viewers[0])
    for query, expected in ((JOBS, 1), (OTHER_JOBS, 3)):
        crowd.subscribe(query, *viewers)
        await crowd.settled()
        for name in ("first", "second"):
            crowd.count()
            await rename(ask, world, job_id, name)
            await crowd.settled()
        assert crowd.count() == expected


async def test_callers_with_other_roles_or_scopes_share_nothing(
    crowd: Crowd, ask: Ask, world: World, job_id: str
) -> None:
    reading = replace(caller(world.viewer), scopes=frozenset({AccessScope.READ}))
    receiving = crowd.subscribe(JOBS, world.viewer, reading, world.admin, world.auditor)
    await crowd.settled()
    await rename(ask, world, job_id, "renamed")
    await crowd.settled()

    assert [len(each) for each in receiving] == [1] * 4
    assert (crowd.count(), crowd.subscriptions.groups) == (4, 4)


async def test_a_right_that_was_taken_or_given_counts_at_the_next_event(
    database: Database, crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    receiving = await subscribed(crowd, ask, world, job_id, JOBS, *viewers, world.outsider)
    await leave(database, *viewers[:2])
    await enter(database, world.data_eng, world.outsider)
    await rename(ask, world, job_id, "second")
    await crowd.settled()

    names = [[each["job"]["name"] for each in received] for received in receiving]
    assert names == [["first"], ["first"], ["first", "second"], ["second"]]


async def test_a_job_that_a_team_loses_is_removed_for_its_members_only(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    receiving = crowd.subscribe(JOBS, *viewers, world.contributor, world.outsider)
    await crowd.settled()
    await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [world.analytics.id]})
    await ask(world.admin, REMOVE, input={"jobId": job_id, "teamId": world.data_eng.id})
    await crowd.settled()
    await rename(ask, world, job_id, "still seen by analytics", world.admin)
    await ask(world.admin, DELETE, input={"jobId": job_id})
    await crowd.settled()

    removals = [[each["isRemoved"] for each in received] for received in receiving]
    # The rights and the job are those at the time of delivery: the viewers no longer see that a team was added.
    assert removals == [[True]] * 3 + [[False, False, True, True], []]


@pytest.mark.parametrize("leaving", [slice(0, 1), slice(1, 3), slice(0, 3)], ids=["one", "two", "all"])
async def test_no_right_is_used_that_was_taken_before_the_execution(
    database: Database,
    crowd: Crowd,
    ask: Ask,
    world: World,
    viewers: list[Member],
    job_id: str,
    monkeypatch: pytest.MonkeyPatch,
    leaving: slice,
) -> None:
    """The rights are read twice: to find those who may share, and in the snapshot of their execution."""
    receiving = await subscribed(crowd, ask, world, job_id, JOBS, *viewers)
    found = event_visibility.viewers

    async def then_leave(*arguments: Any, **options: Any) -> set[str]:
        seeing = await found(*arguments, **options)
        await leave(database, *viewers[leaving])
        return seeing

    monkeypatch.setattr(deliveries, "viewers", then_leave)
    await rename(ask, world, job_id, "second")
    await crowd.settled()

    for number, received in enumerate(receiving):
        has_left = number in range(*leaving.indices(3))
        assert [each["job"]["name"] for each in received] == ["first"] + ["second"] * (not has_left)


async def test_events_for_one_member_reach_no_other(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    own, *others = crowd.subscribe(SUBJECTS, *viewers, of_jobs=False)
    (auditing,) = crowd.subscribe(SUBJECTS, world.auditor, of_jobs=False)
    await crowd.settled()
    await ask(world.viewer, CREATE_TOKEN)
    await ask(world.admin, RENAME_ORGANIZATION)
    await crowd.settled()

    created, renamed = {"action": "TOKEN_CREATED", "subject": {"name": "mine"}}, "ORGANIZATION_UPDATED"
    assert [own[0], *(each["action"] for each in own[1:])] == [created, renamed]
    assert [[each["action"] for each in received] for received in others] == [[renamed]] * 2
    assert [each["action"] for each in auditing] == ["TOKEN_CREATED", renamed]


async def test_a_result_that_depends_on_who_the_caller_is_is_not_shared(
    crowd: Crowd, ask: Ask, world: World, auditors: list[Member], job_id: str
) -> None:
    """Auditors see all events, but only their own tokens."""
    receiving = crowd.subscribe(SUBJECTS, *auditors, of_jobs=False)
    await crowd.settled()
    await ask(world.auditor, CREATE_TOKEN)
    await rename(ask, world, job_id, "shared")
    await crowd.settled()

    tokens = [received[0]["subject"] for received in receiving]
    assert tokens == [{"name": "mine"}, None, None]
    assert set(crowd.executions[-1].receivers) == {each.id for each in auditors}


async def test_each_gets_an_event_once_although_an_execution_failed(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "RETRY_SECONDS", 0)
    receiving = await subscribed(crowd, ask, world, job_id, PERMISSIONS, *viewers, world.contributor, world.team_admin)
    begin, failures = Execution.begin, iter([DatabaseDown(), None, DatabaseDown(), DatabaseDown()])

    async def failing(self: Execution, context: Any) -> None:
        if failure := next(failures, None):
            raise failure
        await begin(self, context)

    monkeypatch.setattr(Execution, "begin", failing)
    await rename(ask, world, job_id, "second")
    await rename(ask, world, job_id, "third")
    await crowd.settled()

    names = [[each["job"]["name"] for each in received] for received in receiving]
    assert [each[0] for each in names] == ["first"] * 5
    assert [len(each) for each in names] == [3] * 5


@pytest.mark.parametrize(
    "failure", [RateLimited("You have used up this minute's cost.", retry_after=0), TooSlow(), NoConnection()], ids=repr
)
async def test_a_caller_whose_executions_are_refused_does_not_hold_up_the_others(
    crowd: Crowd,
    ask: Ask,
    world: World,
    viewers: list[Member],
    job_id: str,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    receiving = await subscribed(crowd, ask, world, job_id, PERMISSIONS, *viewers, world.contributor)
    run, refused = Crowd.run, asyncio.Event()

    async def refusing(self: Crowd, operation: Prepared, execution: Execution) -> bytes:
        if execution.caller.actor_id == world.contributor.id and not refused.is_set():
            refused.set()
            raise failure
        return await run(self, operation, execution)

    monkeypatch.setattr(Crowd, "run", refusing)
    await rename(ask, world, job_id, "second")
    await crowd.settled()
    assert refused.is_set()
    await crowd.settled()
    await rename(ask, world, job_id, "third")
    await crowd.settled()

    assert [[each["job"]["name"] for each in received] for received in receiving] == [["first", "second", "third"]] * 4
    assert crowd.subscriptions.groups == 2


async def test_a_subscriber_that_joins_while_another_reads_misses_nothing(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of one caller has no event that only another sees, who joined before the page was read."""
    (blind,) = crowd.subscribe(JOBS, world.outsider)
    await crowd.settled()
    read, joined = event_rows.after_recent, list[Received]()

    async def join_first(*arguments: Any) -> Any:
        if not joined:
            joined.extend(crowd.subscribe(JOBS, world.viewer))
            await rename(ask, world, job_id, "seen by one")
        return await read(*arguments)

    monkeypatch.setattr(event_rows, "after_recent", join_first)
    await crowd.settled()

    assert ([each["job"]["name"] for each in joined[0]], list(blind)) == (["seen by one"], [])


async def test_a_caller_whose_budget_is_used_up_does_not_hold_up_the_others(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    receiving = crowd.subscribe(JOBS, *viewers)
    await crowd.settled()
    points = crowd.budget.accounts(caller(viewers[0])).points
    assert points
    points.charge(points.left() + 1000)
    for number in range(6):
        await rename(ask, world, job_id, f"name {number}")
    await crowd.settled()

    assert [len(each) for each in receiving] == [6] * 3
    assert viewers[0].id not in {each.caller.actor_id for each in crowd.executions}
    assert {each.caller.actor_id for each in crowd.executions} == {each.id for each in viewers[1:]}


@pytest.mark.parametrize(("query", "of_jobs"), [(PERMISSIONS, True), (SUBJECTS, False)], ids=["roles", "identity"])
async def test_a_caller_without_budget_waits_alone_when_it_can_share_nothing(
    crowd: Crowd, ask: Ask, world: World, auditors: list[Member], job_id: str, query: str, of_jobs: bool
) -> None:
    """The others get each event, although they find out in the middle of one that they can share less."""
    debtor, *others = auditors
    receiving = crowd.subscribe(query, *auditors, of_jobs=of_jobs)
    await crowd.settled()
    points = crowd.budget.accounts(caller(debtor)).points
    assert points
    points.charge(points.left() + 1000)
    await ask(others[0], CREATE_TOKEN)
    for name in ("first", "second"):
        await rename(ask, world, job_id, name)
    group = receiving[1].subscriber.group
    assert group
    await read_all(group)

    assert [len(each) for each in receiving[1:]] == [2 if of_jobs else 3] * 2


async def test_rights_that_keep_changing_hold_up_nobody(
    crowd: Crowd, ask: Ask, world: World, viewers: list[Member], job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiving = crowd.subscribe(JOBS, *viewers)
    await crowd.settled()
    executed, execute = [], Executor.execute

    async def others(*_: Any) -> dict[str, Any]:
        return {}

    async def counted(self: Executor, request: Any) -> Any:
        executed.append(request)
        return await execute(self, request)

    await rename(ask, world, job_id, "renamed")
    monkeypatch.setattr(execution, "team_rights", others)
    monkeypatch.setattr(Executor, "execute", counted)
    await crowd.settled()

    assert [[each["job"]["name"] for each in received] for received in receiving] == [["renamed"]] * 3
    assert (crowd.count(), len(executed)) == (deliveries.MOST_OUTDATED + 3, 3)


async def test_subscribers_of_a_server_share(
    live: Live, ask: Ask, world: World, viewers: list[Member], job_id: str
) -> None:
    query = "subscription { events { action job { name viewerPermissions } } }"
    async with live.socket(viewers[0]) as one, live.socket(viewers[1]) as two, live.socket(world.contributor) as other:
        for each in (one, two, other):
            await each.subscribe("1", query)
            await ready(live, ask, world, job_id, each)
        await rename(ask, world, job_id, "last")
        for each, permissions in ((one, 1), (two, 1), (other, 3)):
            while (job := await changed(each))["name"] != "last":
                pass
            assert len(job["viewerPermissions"]) == permissions


async def subscribed(crowd: Crowd, ask: Ask, world: World, job_id: str, query: str, *members: Member) -> list[Received]:
    """Subscribe for the members, and let them receive that the job was renamed to "first"."""
    receiving = crowd.subscribe(query, *members)
    await crowd.settled()
    await rename(ask, world, job_id, "first")
    await crowd.settled()
    return receiving


async def changed(socket: Socket) -> Any:
    """Return the job of the next event."""
    while (message := await socket.receive())["type"] != "next":
        assert message["type"] == "pong", message
    return message["payload"]["data"]["events"]["job"]
