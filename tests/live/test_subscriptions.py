"""Subscriptions over both transports: what is delivered, to whom, and from where."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.feed import CursorExpired, expire
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.member import Member
from mainsheet.models.team import TeamMember
from mainsheet.resolvers import event
from mainsheet.resolvers.event import EventListArguments, changes_by_ids
from mainsheet.resolvers.event_filter import NO_FILTER
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.server.http.request import GRAPHQL_RESPONSE
from mainsheet.server.live import subscriptions
from testbed.ask import Ask
from testbed.statements import statements_of
from testbed.world import World, caller
from tests.live.conftest import PATIENCE, Live, Socket

EVENTS = """subscription ($after: String, $filter: EventFilter) {
  events(after: $after, filter: $filter) { action cursor subjectLabel actor { displayName } job { name } } }"""
JOBS = """subscription ($after: String, $filter: JobFilter) {
  jobs(after: $after, filter: $filter) { jobId isRemoved job { name } } }"""
END = "{ events(last: 1) { pageInfo { endCursor } } }"
UPDATE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"
ADD = "mutation ($input: AddTeamsToJobInput!) { addTeamsToJob(input: $input) { userErrors { code } } }"
REMOVE = "mutation ($input: RemoveTeamFromJobInput!) { removeTeamFromJob(input: $input) { userErrors { code } } }"
DELETE = "mutation ($input: DeleteJobInput!) { deleteJob(input: $input) { userErrors { code } } }"


class Reads(Instrumentation):
    """Counts statements that compare a cursor with the end of the feed."""

    def __init__(self) -> None:
        self.left = 0
        self.done = asyncio.Event()

    def statement(self, sql: str, seconds: float) -> None:
        if self.left and "events_expired_to" in sql:
            self.left -= 1
            if not self.left:
                self.done.set()


async def rename(ask: Ask, world: World, job_id: str, name: str, member: Member | None = None) -> None:
    answer = await ask(member or world.contributor, UPDATE, input={"jobId": job_id, "name": name})
    assert answer["updateJob"]["userErrors"] == []


async def end(ask: Ask, world: World) -> str:
    cursor: str = (await ask(world.admin, END))["events"]["pageInfo"]["endCursor"]
    return cursor


async def data(socket: Socket) -> Any:
    message = await socket.receive()
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"]


async def test_a_socket_gets_the_events_after_its_cursor(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    await rename(ask, world, job_id, "before")
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        first = (await data(socket))["events"]
        await rename(ask, world, job_id, "during")
        second = (await data(socket))["events"]

    assert first | {"cursor": ""} == {
        "action": "JOB_UPDATED",
        "cursor": "",
        "subjectLabel": first["subjectLabel"],
        "actor": {"displayName": "contributor"},
        "job": {"name": "before"},
    }
    assert second["job"] == {"name": "during"}


async def test_a_reader_resumes_from_the_cursor_of_its_last_event(
    live: Live, ask: Ask, world: World, job_id: str
) -> None:
    after, seen = await end(ask, world), []
    for number in range(3):
        await rename(ask, world, job_id, f"name {number}")
    for _ in range(3):
        async with live.socket(world.viewer) as socket:
            await socket.subscribe("1", EVENTS, after=after)
            after = (event := (await data(socket))["events"])["cursor"]
            seen.append(event["cursor"])

    table = await ask(world.viewer, "{ events(last: 3) { nodes { cursor } } }")
    assert seen == [each["cursor"] for each in table["events"]["nodes"]]


async def test_only_visible_events_are_delivered(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
        await rename(ask, world, job_id, "visible")

        assert (await data(socket))["events"]["job"] == {"name": "visible"}


async def test_a_filter_selects_events(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=after, filter={"actions": ["JOB_DELETED"]})
        await rename(ask, world, job_id, "not shown")
        await ask(world.admin, DELETE, input={"jobId": job_id})

        assert (await data(socket))["events"]["action"] == "JOB_DELETED"


async def test_equal_subscriptions_get_the_same_events(live: Live, ask: Ask, world: World, job_id: str) -> None:
    async with live.socket(world.viewer) as one, live.socket(world.viewer) as other:
        for socket in (one, other):
            await socket.subscribe("1", EVENTS)
            await ready(live, ask, world, job_id, socket)
        await rename(ask, world, job_id, "last")

        assert await last(one) == await last(other)


async def test_a_subscription_may_follow_an_equal_one_that_ended(
    live: Live, ask: Ask, world: World, job_id: str
) -> None:
    async with live.socket(world.viewer) as socket:
        for number in range(5):
            await socket.subscribe(f"{number}", EVENTS)
            await ready(live, ask, world, job_id, socket)
            await socket.send(type="complete", id=f"{number}")


async def ready(live: Live, ask: Ask, world: World, job_id: str, socket: Socket) -> None:
    """Change the job until the new subscription has delivered an event: when it begins isn't told."""
    number = 0
    while True:
        await rename(ask, world, job_id, f"try {number}")
        await socket.send(type="ping")
        number += 1
        while (message := await socket.receive())["type"] != "pong":
            if message["type"] == "next":
                return


async def last(socket: Socket) -> Any:
    while True:
        message = await socket.receive()
        if message["type"] == "next" and (event := message["payload"]["data"]["events"])["job"] == {"name": "last"}:
            return event["cursor"]


async def test_changes_of_jobs_say_whether_they_match(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", JOBS, after=after, filter={"search": "wanted"})
        await rename(ask, world, job_id, "wanted")
        entered = await data(socket)
        await rename(ask, world, job_id, "other")
        left = await data(socket)
        await ask(world.admin, DELETE, input={"jobId": job_id})
        gone = await data(socket)

    assert entered == {"jobs": {"jobId": job_id, "isRemoved": False, "job": {"name": "wanted"}}}
    assert left == {"jobs": {"jobId": job_id, "isRemoved": True, "job": {"name": "other"}}}
    assert gone == {"jobs": {"jobId": job_id, "isRemoved": True, "job": None}}


async def test_a_job_that_the_caller_loses_is_removed(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", JOBS, after=after)
        await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [world.platform.id]})
        shared = await data(socket)
        await ask(world.admin, REMOVE, input={"jobId": job_id, "teamId": world.data_eng.id})
        lost = await data(socket)
        await rename(ask, world, job_id, "not seen", world.admin)
        await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [world.data_eng.id]})
        back = await data(socket)

    assert lost == {"jobs": {"jobId": job_id, "isRemoved": True, "job": None}}
    assert shared["jobs"]["isRemoved"] is back["jobs"]["isRemoved"] is False
    assert back["jobs"]["job"] == {"name": "not seen"}


async def test_the_removal_of_a_team_is_hidden_from_others(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    await ask(world.admin, ADD, input={"jobId": job_id, "teamIds": [world.platform.id]})
    await ask(world.admin, REMOVE, input={"jobId": job_id, "teamId": world.data_eng.id})
    (event,) = (await ask(world.admin, "{ events(last: 1) { nodes { id } } }"))["events"]["nodes"]

    for member, expected in ((world.viewer, {event["id"]}), (world.outsider, set())):
        read = Read.of(database, caller(member))
        assert set(await changes_by_ids(read, [event["id"]])) == expected
        await read.close()


async def test_rights_are_checked_at_delivery(
    live: Live, ask: Ask, world: World, database: Database, job_id: str
) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        await rename(ask, world, job_id, "seen")
        assert (await data(socket))["events"]["job"] == {"name": "seen"}
        async with AsyncSession(database.writes) as session, session.begin():
            await session.execute(delete(TeamMember).where(TeamMember.actor_id == world.viewer.id))
        await rename(ask, world, job_id, "not seen")
        await ask(world.admin, 'mutation { updateOrganization(input: {name: "Harbour"}) { userErrors { code } } }')

        assert (await data(socket))["events"]["action"] == "ORGANIZATION_UPDATED"


async def test_a_subscription_goes_on_while_retention_deletes_events(
    live: Live, ask: Ask, world: World, database: Database, job_id: str
) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=await end(ask, world))
        for number in range(3):
            await rename(ask, world, job_id, f"name {number}")
            assert (await data(socket))["events"]["job"] == {"name": f"name {number}"}
            assert await expire(database, timedelta(0)) > 0


async def test_a_subscription_begins_where_all_events_were_deleted(
    live: Live, ask: Ask, world: World, database: Database, job_id: str
) -> None:
    await expire(database, timedelta(0))
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS)
        await ready(live, ask, world, job_id, socket)


async def test_an_idle_subscription_passes_events_that_its_caller_does_not_see(
    live: Live, ask: Ask, world: World, database: Database, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "IDLE_SECONDS", 0.01)
    after = await end(ask, world)
    await rename(ask, world, job_id, "seen")
    await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    reads = Reads()
    database.instrumentation.add(reads)
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after=after)
        assert (await data(socket))["events"]["job"] == {"name": "seen"}
        reads.left = 3  # at the third, the read after the event is complete
        await reads.done.wait()
        await expire(database, timedelta(0))
        await rename(ask, world, job_id, "after")

        assert (await data(socket))["events"]["job"] == {"name": "after"}


async def test_invalid_arguments_end_the_operation(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as socket:
        await socket.subscribe("1", EVENTS, after="x")
        result, complete = await socket.receive(), await socket.receive()

    assert result["payload"]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert complete == {"type": "complete", "id": "1"}


async def test_a_stream_of_server_sent_events(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.stream(world.viewer, EVENTS, after=after) as events:
        await rename(ask, world, job_id, "streamed")
        name, text = await anext(events)

    assert name == "next"
    assert orjson.loads(text)["data"]["events"]["job"] == {"name": "streamed"}


async def test_a_query_by_server_sent_events_completes(live: Live, world: World) -> None:
    async with live.stream(world.viewer, "{ organization { name } }") as events:
        told = [each async for each in events]

    assert told == [("next", '{"data":{"organization":{"name":"harbor"}}}'), ("complete", "")]


async def test_an_invalid_operation_is_a_result_of_the_stream(live: Live, world: World) -> None:
    async with live.stream(world.viewer, "subscription { nothing }") as events:
        (first, text), (second, _) = [each async for each in events]

    assert (first, second) == ("next", "complete")
    assert orjson.loads(text)["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_the_mode_of_a_single_connection_is_refused(live: Live, world: World, method: str) -> None:
    headers = {"Authorization": f"Bearer {await live.secret(world.viewer)}", "Accept": "text/event-stream"}
    async with live.http.request(method, "/graphql", headers=headers) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


async def test_a_mutation_is_not_run_by_get(live: Live, ask: Ask, world: World, job_id: str) -> None:
    headers = {"Authorization": f"Bearer {await live.secret(world.admin)}", "Accept": "text/event-stream"}
    query = f'mutation {{ deleteJob(input: {{jobId: "{job_id}"}}) {{ userErrors {{ code }} }} }}'
    async with live.http.get("/graphql", params={"query": query}, headers=headers) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")

    assert (await ask(world.admin, "{ jobs { totalCount } }"))["jobs"] == {"totalCount": 1}


async def test_a_subscription_is_run_by_get(live: Live, ask: Ask, world: World, job_id: str) -> None:
    headers = {"Authorization": f"Bearer {await live.secret(world.viewer)}", "Accept": "text/event-stream"}
    query = f'subscription {{ events(after: "{await end(ask, world)}") {{ action }} }}'
    await rename(ask, world, job_id, "renamed")
    async with live.http.get("/graphql", params={"query": query}, headers=headers) as response:
        assert await response.content.readuntil(b"\n\n") == b":\n\n"  # a comment
        assert await response.content.readuntil(b"\n\n") == (
            b'event: next\ndata: {"data":{"events":{"action":"JOB_UPDATED"}}}\n\n'
        )


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, multipart/mixed", "text/event-stream"),
        ("text/event-stream, */*", "text/event-stream"),
        ("application/json;q=0.5, text/event-stream", "text/event-stream"),
        ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", GRAPHQL_RESPONSE),
        ("application/json, text/event-stream;q=0.9", "application/json"),
    ],
)
async def test_events_are_sent_if_they_are_preferred(live: Live, world: World, accept: str, media_type: str) -> None:
    headers = {"Authorization": f"Bearer {await live.secret(world.viewer)}", "Accept": accept}
    async with live.http.post("/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert response.content_type == media_type


async def test_a_stream_needs_a_token(live: Live) -> None:
    body, headers = {"query": EVENTS}, {"Accept": "text/event-stream"}
    async with live.http.post("/graphql", json=body, headers=headers) as response:
        assert response.status == 401


async def test_subscriptions_end_when_the_server_stops(live: Live, ask: Ask, world: World, job_id: str) -> None:
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket, live.stream(world.viewer, EVENTS, after=after) as events:
        await socket.subscribe("1", EVENTS, after=after)
        await rename(ask, world, job_id, "last")
        await data(socket)
        await anext(events)

        await live.stop()

        assert await socket.code() == 1012
        assert [each async for each in events] == []  # without `complete`: the client subscribes again


async def test_subscriptions_end_one_after_the_other_and_miss_nothing(
    live: Live, ask: Ask, world: World, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "ENDED_AT_ONCE", 1)
    go_on = asyncio.Event()
    monkeypatch.setattr(subscriptions, "_pause", lambda _seconds: go_on.wait())
    after = await end(ask, world)
    async with live.socket(world.viewer) as one, live.socket(world.viewer) as other:
        for each in (one, other):
            await each.subscribe("1", EVENTS, after=after)
        await rename(ask, world, job_id, "before")
        assert {(await data(each))["events"]["job"]["name"] for each in (one, other)} == {"before"}

        stopping = asyncio.ensure_future(live.stop())
        first = asyncio.create_task(one.raw.receive(timeout=PATIENCE))
        second = asyncio.create_task(other.raw.receive(timeout=PATIENCE))
        (closed,), (open_,) = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        assert (await closed).data == 1012
        await rename(ask, world, job_id, "during")

        assert orjson.loads((await open_).data)["payload"]["data"]["events"]["job"] == {"name": "during"}
        go_on.set()
        for each in (one, other):
            await each.raw.close()
        await stopping


async def test_an_idle_connection_does_not_delay_the_end_of_the_server(live: Live, world: World) -> None:
    async with live.socket(world.viewer) as idle:
        stopping = asyncio.ensure_future(live.stop())

        assert await idle.code() == 1012
        await stopping


@pytest.mark.parametrize("of_jobs", [True, False])
async def test_reading_on_finds_the_same_events_as_the_list(
    database: Database, ask: Ask, world: World, job_id: str, *, of_jobs: bool
) -> None:
    after = await end(ask, world)
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    for each in (job_id, hidden):
        await ask(world.admin, UPDATE, input={"jobId": each, "name": "renamed"})
    arguments = EventListArguments(PageArguments(size=2, after=after), NO_FILTER, of_jobs)

    sizes = set()
    for member in (world.admin, world.viewer, world.outsider):
        read = Read.of(database, caller(member))
        pages = await event.of_organizations(read, [world.organization.id], arguments)
        sent = statements_of(database)
        listed, found = pages[world.organization.id], await event.after_recent(read, world.organization.id, arguments)
        await read.close()
        assert [(each.id, each.position) for each in found.nodes] == [(each.id, each.position) for each in listed.nodes]
        assert (found.has_next_page, found.end_cursor) == (listed.has_next_page, listed.end_cursor)
        assert len(sent) == 1
        sizes.add(len(found.nodes))
    assert sizes == {0, 1, 2}


async def test_reading_on_for_an_organization_that_was_deleted_finds_nothing(
    database: Database, ask: Ask, world: World
) -> None:
    after = await end(ask, world)
    read = Read.of(database, caller(world.viewer))

    page = await event.after_recent(read, "OR" + 18 * "0", EventListArguments(PageArguments(after=after), NO_FILTER))

    await read.close()
    assert (page.nodes, page.end_cursor) == ([], after)


async def test_reading_on_finds_out_that_the_cursor_has_expired(
    database: Database, ask: Ask, world: World, job_id: str
) -> None:
    arguments = EventListArguments(PageArguments(after=await end(ask, world)), NO_FILTER)
    await rename(ask, world, job_id, "deleted")
    await expire(database, timedelta(0))
    await rename(ask, world, job_id, "kept")
    read = Read.of(database, caller(world.viewer))

    with pytest.raises(CursorExpired) as failed:
        await event.after_recent(read, world.organization.id, arguments)

    read_on = replace(arguments, page=PageArguments(after=failed.value.oldest_cursor))
    page = await event.after_recent(read, world.organization.id, read_on)
    await read.close()
    assert len(page.nodes) == 1
