"""The feed: events of all objects that a member sees, in an order that a reader can continue."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.event import Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member
from testbed.ask import Ask, Failed
from testbed.world import World

FEED = """
query ($first: Int, $after: String, $last: Int, $before: String, $filter: EventFilter, $direction: SortDirection) {
  events(
    first: $first, after: $after, last: $last, before: $before, filter: $filter, sortDirection: $direction
  ) {
    nodes { id cursor action subjectId subjectLabel }
    edges { cursor }
    totalCount
    pageInfo { hasNextPage endCursor }
  }
}
""".replace("$direction: SortDirection)", "$direction: SortDirection! = ASC)")
DETAILS = """
query ($id: ID!) {
  node(id: $id) {
    ... on Event {
      action subjectId subjectLabel message fromVersionNumber toVersionNumber
      actor { displayName } subject { id } job { id } fromVersion { number } toVersion { number }
    }
  }
}
"""
OF_JOB = """
query ($id: ID!, $filter: EventFilter, $direction: SortDirection! = DESC) {
  job(id: $id) { events(filter: $filter, sortDirection: $direction) { totalCount nodes { action } } }
}
"""
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
VERSION = "mutation ($input: CreateVersionInput!) { createVersion(input: $input) { userErrors { code } } }"
ADD = "mutation ($input: AddTeamsToJobInput!) { addTeamsToJob(input: $input) { userErrors { code } } }"
REMOVE = "mutation ($input: RemoveTeamFromJobInput!) { removeTeamFromJob(input: $input) { userErrors { code } } }"
DELETE = "mutation ($input: DeleteJobInput!) { deleteJob(input: $input) { userErrors { code } } }"
RENAME = "mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) { userErrors { code } } }"


async def feed(ask: Ask, member: Member, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await ask(member, FEED, **variables))["events"]
    return page


async def actions(ask: Ask, member: Member, **variables: Any) -> list[str]:
    return [each["action"] for each in (await feed(ask, member, **variables))["nodes"]]


async def rename(ask: Ask, world: World, job_id: str, name: str) -> None:
    await ask(world.contributor, UPDATE, input={"jobId": job_id, "name": name})


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    return await ask.create_job(world.contributor, world)


async def test_an_event_has_its_subject_and_versions(ask: Ask, world: World, job_id: str) -> None:
    changes = {"jobId": job_id, "changes": {"maxRetries": 3}, "message": "more patience"}
    await ask(world.contributor, VERSION, input=changes)

    newest = (await feed(ask, world.viewer, last=1))["nodes"][0]
    event = (await ask(world.viewer, DETAILS, id=newest["id"]))["node"]

    assert event == {
        "action": "VERSION_CREATED",
        "subjectId": job_id,
        "subjectLabel": newest["subjectLabel"],
        "message": "more patience",
        "fromVersionNumber": 1,
        "toVersionNumber": 2,
        "actor": {"displayName": "contributor"},
        "subject": {"id": job_id},
        "job": {"id": job_id},
        "fromVersion": {"number": 1},
        "toVersion": {"number": 2},
    }


async def test_a_reader_continues_from_its_cursor(ask: Ask, world: World, job_id: str) -> None:
    await rename(ask, world, job_id, "second")
    seen, after = [], None
    for _ in range(2):
        page = await feed(ask, world.viewer, first=1, after=after)
        seen += [each["action"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    ended = await feed(ask, world.viewer, after=after)
    await rename(ask, world, job_id, "third")
    more = await feed(ask, world.viewer, after=ended["pageInfo"]["endCursor"])

    assert seen == ["JOB_CREATED", "JOB_UPDATED"]
    assert (ended["nodes"], ended["pageInfo"]["endCursor"] is not None) == ([], True)
    assert [each["action"] for each in more["nodes"]] == ["JOB_UPDATED"]
    assert [each["cursor"] for each in more["edges"]] == [each["cursor"] for each in more["nodes"]]


async def test_an_empty_feed_has_an_end(ask: Ask, world: World) -> None:
    end = (await feed(ask, world.viewer))["pageInfo"]["endCursor"]
    job_id = await ask.create_job(world.contributor, world)

    assert [each["subjectId"] for each in (await feed(ask, world.viewer, after=end))["nodes"]] == [job_id]


async def test_the_end_passes_events_that_the_filter_excludes(ask: Ask, world: World, job_id: str) -> None:
    page = await feed(ask, world.viewer, filter={"actions": ["JOB_DELETED"]})

    assert page["nodes"] == []
    assert await actions(ask, world.viewer, after=page["pageInfo"]["endCursor"]) == []


async def test_a_page_of_no_items_ends_where_it_began(ask: Ask, world: World, job_id: str) -> None:
    assert (await feed(ask, world.viewer, first=0))["pageInfo"]["endCursor"] is None
    first = await feed(ask, world.viewer, first=1)
    after = first["pageInfo"]["endCursor"]

    await rename(ask, world, job_id, "second")

    assert (await feed(ask, world.viewer, first=0, after=after))["pageInfo"]["endCursor"] == after


async def test_a_deletion_is_listed_for_those_who_could_see_the_job(ask: Ask, world: World, job_id: str) -> None:
    await ask(world.admin, DELETE, input={"jobId": job_id})

    for member in (world.viewer, world.admin, world.auditor):
        page = await feed(ask, member, last=1)
        assert [(each["action"], each["subjectId"]) for each in page["nodes"]] == [("JOB_DELETED", job_id)]
        event = (await ask(member, DETAILS, id=page["nodes"][0]["id"]))["node"]
        assert (event["subject"], event["job"], event["fromVersion"]) == (None, None, None)
        assert event["fromVersionNumber"] == 1
    for member in (world.outsider, world.foreign.admin):
        assert await actions(ask, member) == []
        assert (await ask(member, DETAILS, id=page["nodes"][0]["id"]))["node"] is None


async def test_members_see_events_of_visible_jobs(ask: Ask, world: World, job_id: str) -> None:
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])

    seen = await feed(ask, world.viewer)

    assert [each["subjectId"] for each in seen["nodes"]] == [job_id]
    assert seen["totalCount"] == 1
    assert await actions(ask, world.viewer, filter={"jobIds": [hidden]}) == []
    assert len(await actions(ask, world.auditor)) == 2


async def test_all_members_see_events_of_the_organization(ask: Ask, world: World) -> None:
    await ask(world.admin, RENAME, input={"name": "Harbour"})
    await ask(world.admin, RENAME, input={"name": "Harbour"})

    page = await feed(ask, world.outsider)

    assert [(each["action"], each["subjectLabel"]) for each in page["nodes"]] == [("ORGANIZATION_UPDATED", "Harbour")]
    assert await actions(ask, world.foreign.admin) == []


@pytest.mark.parametrize(("only_for", "readers"), [("viewer", {"viewer", "auditor"}), (None, {"auditor"})])
async def test_an_event_for_one_actor_is_hidden_from_others(
    ask: Ask, world: World, database: Database, only_for: str | None, readers: set[str]
) -> None:
    actor_id = getattr(world, only_for).id if only_for else world.organization.id
    async with AsyncSession(database.writes) as session, session.begin():
        session.add(event(world, only_for_id=actor_id))

    seen = {name for name in ("viewer", "outsider", "auditor") if await actions(ask, getattr(world, name))}

    assert seen == readers


def event(world: World, **values: Any) -> Event:
    own = {
        "id": new_id(Event.PREFIX),
        "organization_id": world.organization.id,
        "action": EventAction.ORGANIZATION_UPDATED,
        "actor_id": world.admin.id,
        "occurred_at": datetime.now(UTC),
        "subject_id": world.organization.id,
        "subject_label": "harbor",
        "team_ids": [],
        "changes": [],
    }
    return Event(**own | values)


async def test_filters_combine(ask: Ask, world: World, job_id: str) -> None:
    other = await ask.create_job(world.contributor, world, jobKey="other")
    await rename(ask, world, job_id, "new")
    await ask(world.admin, RENAME, input={"name": "Harbour"})
    both = ["JOB_CREATED", "JOB_UPDATED"]

    assert await actions(ask, world.viewer, filter={"jobIds": [job_id]}) == both
    assert await actions(ask, world.viewer, filter={"subjectIds": [other]}) == ["JOB_CREATED"]
    assert await actions(ask, world.viewer, filter={"subjectIds": [other], "jobIds": [job_id]}) == []
    assert await actions(ask, world.viewer, filter={"actorIds": [world.admin.id]}) == ["ORGANIZATION_UPDATED"]
    assert await actions(ask, world.viewer, filter={"actions": ["JOB_UPDATED"]}) == ["JOB_UPDATED"]
    assert await actions(ask, world.viewer, filter={"teamIds": [world.data_eng.id]}) == ["JOB_CREATED", *both]
    assert await actions(ask, world.viewer, filter={"teamIds": [world.platform.id]}) == []
    assert await actions(ask, world.viewer, filter={"actions": []}) == []
    assert await actions(ask, world.viewer, filter={"since": "9999-01-01T00:00:00Z"}) == []
    assert await actions(ask, world.viewer, filter={"until": "9999-01-01T00:00:00Z", "jobIds": [job_id]}) == both
    assert await actions(ask, world.viewer, filter={"until": "2001-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_the_feed_accepts_the_first_and_last_time(ask: Ask, world: World, job_id: str, moment: str) -> None:
    since = await actions(ask, world.viewer, filter={"jobIds": [job_id], "since": moment})
    until = await actions(ask, world.viewer, filter={"until": moment})

    assert (since, until) == ((["JOB_CREATED"], []) if moment < "2000" else ([], ["JOB_CREATED"]))


async def test_the_team_filter_asks_for_the_teams_at_the_time(ask: Ask, world: World, job_id: str) -> None:
    team = world.platform.id
    await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [team]})
    await rename(ask, world, job_id, "shared")
    await ask(world.admin, REMOVE, input={"jobId": job_id, "teamId": team})
    await rename(ask, world, job_id, "not shared")

    assert await actions(ask, world.admin, filter={"teamIds": [team]}) == [
        "TEAMS_ADDED_TO_JOB",
        "JOB_UPDATED",
        "TEAM_REMOVED_FROM_JOB",
    ]


async def test_the_history_of_a_job_is_newest_first(ask: Ask, world: World, job_id: str) -> None:
    await rename(ask, world, job_id, "second")

    async def told(**variables: Any) -> list[str]:
        events = (await ask(world.viewer, OF_JOB, id=job_id, **variables))["job"]["events"]
        assert events["totalCount"] == len(events["nodes"])
        return [each["action"] for each in events["nodes"]]

    assert await told() == ["JOB_UPDATED", "JOB_CREATED"]
    assert await told(direction="ASC") == ["JOB_CREATED", "JOB_UPDATED"]
    assert await told(filter={"actions": ["JOB_CREATED"]}) == ["JOB_CREATED"]


async def test_the_newest_events_come_first_if_asked(ask: Ask, world: World, job_id: str) -> None:
    await rename(ask, world, job_id, "second")

    newest = await feed(ask, world.viewer, first=1, direction="DESC")
    older = await feed(ask, world.viewer, first=1, direction="DESC", after=newest["pageInfo"]["endCursor"])

    assert [each["action"] for each in newest["nodes"] + older["nodes"]] == ["JOB_UPDATED", "JOB_CREATED"]
    assert await actions(ask, world.viewer, before=newest["nodes"][0]["cursor"]) == ["JOB_CREATED"]


@pytest.mark.parametrize("after", ["", "x", "WyJudW1iZXIiLDEsIkVWMSJd"])
async def test_a_cursor_of_another_list_is_refused(ask: Ask, world: World, after: str) -> None:
    with pytest.raises(Failed, match="This cursor isn't one of this list"):
        await feed(ask, world.viewer, after=after)


async def test_a_refused_change_records_nothing(ask: Ask, world: World, job_id: str) -> None:
    end = (await feed(ask, world.viewer))["pageInfo"]["endCursor"]
    refused = await ask(world.viewer, UPDATE, input={"jobId": job_id, "name": "mine"})

    assert refused["updateJob"]["userErrors"] == [{"code": "FORBIDDEN"}]
    assert await actions(ask, world.admin, after=end) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_events_wait_for_older_transactions(ask: Ask, world: World, database: Database, job_id: str) -> None:
    """A transaction that began to write earlier may still store an event that belongs before."""
    async with database.writes.connect() as older, older.begin():
        await older.execute(text("SELECT pg_current_xact_id()"))
        await rename(ask, world, job_id, "newer")
        during = await feed(ask, world.viewer)
        history = (await ask(world.viewer, OF_JOB, id=job_id))["job"]["events"]["nodes"]
    after = await feed(ask, world.viewer, after=during["pageInfo"]["endCursor"])

    assert [each["action"] for each in during["nodes"]] == ["JOB_CREATED"]
    assert [each["action"] for each in history] == ["JOB_UPDATED", "JOB_CREATED"]
    assert [each["action"] for each in after["nodes"]] == ["JOB_UPDATED"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_late_transaction_with_an_early_number_comes_last(
    world: World, database: Database, ask: Ask, job_id: str
) -> None:
    """A transaction gets its number, then waits for the lock of the job; another one changes the job first."""
    async with AsyncSession(database.writes) as late, late.begin():
        await late.execute(text("SELECT pg_current_xact_id()"))
        await rename(ask, world, job_id, "first")
        late.add(event(world, action=EventAction.JOB_UPDATED, subject_id=job_id, job_id=job_id, subject_label="late"))
        await late.flush()
        during = await feed(ask, world.admin)

    page = await feed(ask, world.admin, after=during["pageInfo"]["endCursor"])

    assert [each["action"] for each in during["nodes"]] == ["JOB_CREATED"]
    assert [each["subjectLabel"] for each in page["nodes"]][-1] == "late"
    assert [each["action"] for each in page["nodes"]] == ["JOB_UPDATED", "JOB_UPDATED"]
