"""A dry run stores nothing, holds no lock, shows its changes, and has the same problems as the real mutation."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.base import Base
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.resolvers import job_version
from mainsheet.resolvers.commands import draft
from mainsheet.resolvers.mutation import Call
from testbed.ask import Ask, job_input
from testbed.changes import CHANGES as CHANGE
from testbed.changes import VALUE
from testbed.world import World, caller

DEEP = """
job {
  status revision updatedBy { displayName } viewerPermissions
  teams { totalCount nodes { name } }
  currentVersion { ...version }
  draft { ...version }
  second: version(number: 2) { ...version }
  versions { totalCount nodes { ...version } }
  events { totalCount nodes {
    action fromVersionNumber toVersionNumber message actor { displayName } changes { ...change } } }
}
"""
VERSION = f"""
fragment change on ConfigChange {{ {CHANGE} }}
{VALUE}
fragment version on JobVersion {{
  number status revision message maxRetries environment {{ name value }} schedule {{ cron timezone }}
  source {{ ... on SqlSnapshotSource {{ sql }} ... on SavedQueriesSource {{ queries {{ sql }} }} }}
  publishedBy {{ displayName }}
  dependencies {{ condition job {{ jobKey }} }} basedOn {{ number }} changes {{ ...change }}
  cluster {{ jobs(filter: {{hasDraft: false}}) {{ totalCount nodes {{ jobKey draft {{ number }} }} }} }}
}}
"""
PAYLOADS = {"createDraft": "draft", "updateDraft": "draft"}
ANSWER = "{ number status revision maxRetries basedOn { number } }"
ERRORS = "userErrors { __typename code message path ... on StaleRevisionError { expected actual } }"


async def change(ask: Ask, world: World, name: str, job_id: str, **values: Any) -> dict[str, Any]:
    kind = f"{name[0].upper()}{name[1:]}Input"
    entity = f"{PAYLOADS.get(name, 'version')} {ANSWER}"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {entity} job {{ revision }} {ERRORS} }} }}"
    answer: dict[str, Any] = (await ask(world.contributor, query, i={"jobId": job_id, **values}))[name]
    return answer


async def everything(database: Database) -> Mapping[str, list[Any]]:
    """Return all rows of all tables."""
    async with AsyncSession(database.reads) as session:
        return {
            table.name: sorted(map(str, await session.execute(table.select()))) for table in Base.metadata.sorted_tables
        }


@pytest.fixture
async def job_id(ask: Ask, world: World) -> str:
    job_id = await ask.create_job(world.contributor, world)
    await change(ask, world, "createVersion", job_id, changes={"maxRetries": 1})
    return job_id


FINE: list[tuple[str, dict[str, Any]]] = [
    ("createDraft", {"changes": {"maxRetries": 2}}),
    ("updateDraft", {"changes": {"maxRetries": 3, "dependencies": None}, "expectedDraftRevision": 2}),
    ("publishDraft", {"message": "go", "idempotencyKey": "k"}),
    ("createVersion", {"changes": {"maxRetries": 4}, "idempotencyKey": "k"}),
    ("activateVersion", {"number": 1}),
]
NEEDS_DRAFT = {"updateDraft", "publishDraft"}


@pytest.mark.parametrize(("name", "values"), FINE, ids=[each[0] for each in FINE])
async def test_a_dry_run_leaves_no_trace_and_no_lock(
    ask: Ask,
    world: World,
    database: Database,
    database_url: str,
    job_id: str,
    name: str,
    values: dict[str, Any],
) -> None:
    if name in NEEDS_DRAFT:
        await change(ask, world, "createDraft", job_id)
    before = await everything(database)

    dry = await change(ask, world, name, job_id, dryRun=True, **values)

    unchanged = await everything(database)
    other = Database.open(database_url)
    real = await change(Ask(other), world, name, job_id, **values)
    await other.close()

    assert unchanged == before
    assert dry == real
    assert await everything(database) != before


CHANGES = {
    "maxRetries": 5,
    "environment": [{"name": "A", "value": "b"}],
    "schedule": {"cron": "5 4 * * *", "timezone": "Europe/Berlin"},
    "source": {"sqlSnapshot": {"sql": "SELECT 'é'"}},
}
DEEPLY: list[tuple[str, dict[str, Any]]] = [
    ("createDraft", {"changes": CHANGES}),
    ("updateDraft", {"changes": CHANGES}),
    ("publishDraft", {"message": "go"}),
    ("createVersion", {"changes": CHANGES, "message": "go"}),
    ("activateVersion", {"number": 1, "message": "back"}),
]


@pytest.mark.parametrize(("name", "values"), DEEPLY, ids=[each[0] for each in DEEPLY])
@pytest.mark.parametrize("actor", ["contributor", "admin"])
async def test_a_dry_run_shows_its_changes_in_every_relation(
    ask: Ask, world: World, database: Database, job_id: str, name: str, values: dict[str, Any], actor: str
) -> None:
    member = getattr(world, actor)
    others = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("first", "second")]
    if name in NEEDS_DRAFT:
        await change(ask, world, "createDraft", job_id, changes={"dependencies": [{"jobId": others[0]}]})
    if "changes" in values:
        values = {"changes": values["changes"] | {"dependencies": [{"jobId": each} for each in reversed(others)]}}
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {DEEP} {ERRORS} }} }} {VERSION}"
    before = await everything(database)

    dry = await ask(member, query, i={"jobId": job_id, "dryRun": True, **values})
    unchanged = await everything(database)
    real = await ask(member, query, i={"jobId": job_id, **values})

    assert real[name]["userErrors"] == []
    assert dry == real
    assert unchanged == before


FOUND = 'job { teams { nodes { jobs(filter: {search: "Zebra"}) { totalCount nodes { name } } } } }'


@pytest.mark.parametrize("name", ["createJob", "updateJob"])
async def test_a_search_finds_the_changes_of_a_dry_run(ask: Ask, world: World, job_id: str, name: str) -> None:
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {FOUND} {ERRORS} }} }}"
    new = job_input(world, jobKey="new") if name == "createJob" else {"jobId": job_id}

    dry, real = [
        await ask(world.contributor, query, i={**new, "name": "A zebra", "dryRun": dry_run})
        for dry_run in (True, False)
    ]

    assert dry == real
    assert "A zebra" in str(real)


async def test_a_dry_run_holds_no_lock_while_its_answer_is_read(
    ask: Ask, world: World, database: Database, database_url: str, job_id: str
) -> None:
    values = {"job_id": job_id, "changes": {"max_retries": 7}}
    tried = await Call(database, caller(world.contributor), draft.create, values, {}, dry_run=True).perform()
    before = await job_version.drafts(tried.read, [job_id])  # from here on, the snapshot of the response is open

    async with asyncio.timeout(30):  # would wait for a lock for ever
        await change(ask, world, "createVersion", job_id, changes={"maxRetries": 8})

    after = await job_version.drafts(tried.read, [job_id])
    await tried.read.close()
    assert before == after
    assert (before[job_id].number, before[job_id].max_retries) == (3, 7)


async def test_dry_runs_of_one_operation_are_independent(ask: Ask, world: World, job_id: str) -> None:
    query = """
    mutation ($one: CreateVersionInput!, $two: CreateVersionInput!) {
      one: createVersion(input: $one) { version { number maxRetries } job { versions { totalCount } } }
      two: createVersion(input: $two) { version { number maxRetries } job { versions { totalCount } } }
    }
    """
    one, two = ({"jobId": job_id, "dryRun": True, "changes": {"maxRetries": each}} for each in (3, 4))

    answer = await ask(world.contributor, query, one=one, two=two)

    job = {"versions": {"totalCount": 3}}
    assert answer["one"] == {"version": {"number": 3, "maxRetries": 3}, "job": job}
    assert answer["two"] == {"version": {"number": 3, "maxRetries": 4}, "job": job}


ADD = "mutation ($i: AddTeamsToJobInput!) { addTeamsToJob(input: $i) { job { id } } }"
REFUSED: list[tuple[str, bool, dict[str, Any], str]] = [
    ("createDraft", True, {}, "DRAFT_EXISTS"),
    ("createDraft", False, {"changes": {"maxRetries": 11, "clusterId": "CL0"}}, "CLUSTER_NOT_FOUND"),
    ("updateDraft", False, {"changes": {}}, "DRAFT_NOT_FOUND"),
    ("updateDraft", True, {"changes": {}, "expectedDraftRevision": 7}, "STALE_REVISION"),
    ("publishDraft", True, {"message": "m" * 1024}, "INVALID"),
    ("publishDraft", True, {"expectedCurrentVersion": 1}, "STALE_REVISION"),
    ("createVersion", True, {"changes": {}}, "DRAFT_EXISTS"),
    ("createVersion", False, {"changes": {"clusterId": "not active"}}, "CLUSTER_NOT_ACTIVE"),
    ("activateVersion", False, {"number": 9}, "VERSION_NOT_FOUND"),
    ("activateVersion", True, {"number": 3}, "VERSION_NOT_PUBLISHED"),
]


@pytest.mark.parametrize(("name", "drafted", "values", "code"), REFUSED, ids=[f"{a[0]}-{a[3]}" for a in REFUSED])
async def test_a_dry_run_has_the_same_problems(
    ask: Ask, world: World, database: Database, job_id: str, name: str, drafted: bool, values: Any, code: str
) -> None:
    if drafted:
        await change(ask, world, "createDraft", job_id)
    if values.get("changes", {}).get("clusterId") == "not active":
        values = {"changes": {"clusterId": world.clusters[ClusterStatus.FAILED].id}}
    before = await everything(database)

    dry = await change(ask, world, name, job_id, dryRun=True, **values)
    real = await change(ask, world, name, job_id, **values)

    assert code in {each["code"] for each in dry["userErrors"]}
    assert dry == real
    assert await everything(database) == before


OTHERS = ["createJob", "updateJob", "deleteJob", "discardDraft", "addTeamsToJob", "removeTeamFromJob"]
SEEN = {
    "createJob": "job { jobKey name revision teams { nodes { name } } }",
    "deleteJob": "deletedJobId cancelledRuns { status leaseExpiresAt job { id } version { number } }",
    "discardDraft": "discardedNumber job { revision draft { number } }",
}
TRIGGER = "mutation ($id: ID!) { triggerRun(input: {jobId: $id}) { run { id } } }"
CLAIM = "mutation ($id: ID!) { claimRuns(input: {clusterIds: [$id]}) { runs { attempt } } }"
HISTORY = "{ events(last: 1) { nodes { action message } } }"


@pytest.mark.parametrize("name", OTHERS)
async def test_each_other_mutation_has_a_dry_run_and_a_message(
    ask: Ask, world: World, database: Database, job_id: str, name: str
) -> None:
    await ask(world.admin, ADD, i={"jobId": job_id, "teamIds": [world.analytics.id]})
    if name == "discardDraft":
        await change(ask, world, "createDraft", job_id)
    await ask(world.admin, TRIGGER, id=job_id)
    assert len((await ask(world.admin, CLAIM, id=world.cluster.id))["claimRuns"]["runs"]) == 1
    values = {
        "createJob": job_input(world, jobKey="new"),
        "updateJob": {"jobId": job_id, "status": "PAUSED"},
        "deleteJob": {"jobId": job_id},
        "discardDraft": {"jobId": job_id},
        "addTeamsToJob": {"jobId": job_id, "teamIds": [world.platform.id]},
        "removeTeamFromJob": {"jobId": job_id, "teamId": world.analytics.id},
    }[name]
    kind = f"{name[0].upper()}{name[1:]}Input"
    shown = SEEN.get(name, "job { status revision teams { nodes { name } } }")
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {shown} {ERRORS} }} }}"
    before = await everything(database)

    dry = await ask(world.admin, query, i={**values, "message": "why", "dryRun": True})
    unchanged = await everything(database)
    long = await ask(world.admin, query, i={**values, "message": "m" * 1024})
    real = await ask(world.admin, query, i={**values, "message": "why"})
    (event,) = (await ask(world.admin, HISTORY))["events"]["nodes"]

    assert unchanged == before
    assert dry == real
    assert real[name]["userErrors"] == []
    assert [(each["code"], each["path"]) for each in long[name]["userErrors"]] == [("INVALID", ["message"])]
    assert event["message"] == "why"
