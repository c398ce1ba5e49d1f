"""A dry run leaves no trace in any table, and is refused as the real thing is; a key's work is done once."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import Base
from models.cluster import ClusterStatus
from models.database import Database
from tests.api.ask import Ask
from tests.world import World

PAYLOADS = {"createDraft": "draft", "updateDraft": "draft"}
ANSWER = "{ number status revision maxRetries isCurrent basedOn { number } }"
ERRORS = "userErrors { __typename code message path ... on StaleRevisionError { expected actual } }"


async def change(ask: Ask, world: World, name: str, job_id: str, **values: Any) -> dict[str, Any]:
    kind = f"{name[0].upper()}{name[1:]}Input"
    entity = f"{PAYLOADS.get(name, 'version')} {ANSWER}"
    query = f"mutation ($i: {kind}!) {{ {name}(input: $i) {{ {entity} job {{ revision }} {ERRORS} }} }}"
    answer: dict[str, Any] = (await ask(world.contributor, query, i={"jobId": job_id, **values}))[name]
    return answer


async def everything(database: Database) -> Mapping[str, list[Any]]:
    """All rows of all tables."""
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
    ("updateDraft", {"changes": {"maxRetries": 3, "dependencies": None}, "expectedRevision": 2}),
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


REFUSED: list[tuple[str, bool, dict[str, Any], str]] = [
    ("createDraft", True, {}, "DRAFT_EXISTS"),
    ("createDraft", False, {"changes": {"maxRetries": 11, "clusterId": "CL0"}}, "CLUSTER_NOT_FOUND"),
    ("updateDraft", False, {"changes": {}}, "DRAFT_NOT_FOUND"),
    ("updateDraft", True, {"changes": {}, "expectedRevision": 7}, "STALE_REVISION"),
    ("publishDraft", True, {"message": "m" * 1024}, "INVALID"),
    ("publishDraft", True, {"expectedCurrentVersion": 1}, "STALE_REVISION"),
    ("createVersion", True, {"changes": {}}, "DRAFT_EXISTS"),
    ("createVersion", False, {"changes": {"clusterId": "not active"}}, "CLUSTER_NOT_ACTIVE"),
    ("activateVersion", False, {"number": 9}, "VERSION_NOT_FOUND"),
    ("activateVersion", True, {"number": 3}, "VERSION_NOT_PUBLISHED"),
]


@pytest.mark.parametrize(("name", "drafted", "values", "code"), REFUSED, ids=[f"{a[0]}-{a[3]}" for a in REFUSED])
async def test_a_dry_run_is_refused_as_the_real_thing_is(
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


@pytest.mark.parametrize("name", ["publishDraft", "createVersion"])
async def test_what_one_key_asks_for_twice_is_done_once(
    ask: Ask, world: World, database: Database, job_id: str, name: str
) -> None:
    values = {} if name == "publishDraft" else {"changes": {"maxRetries": 7}}
    if name == "publishDraft":
        await change(ask, world, "createDraft", job_id)
    first = await change(ask, world, name, job_id, idempotencyKey="once", **values)
    before = await everything(database)

    assert first["userErrors"] == []
    assert await change(ask, world, name, job_id, idempotencyKey="once", **values) == first
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("publishDraft", {"message": "other"}),
        ("publishDraft", {"expectedCurrentVersion": 2}),
        ("createVersion", {"changes": {}}),
    ],
)
async def test_a_key_belongs_to_one_mutation_and_one_input(
    ask: Ask, world: World, database: Database, job_id: str, name: str, values: dict[str, Any]
) -> None:
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "publishDraft", job_id, idempotencyKey="once")
    before = await everything(database)

    first, *_ = (await change(ask, world, name, job_id, idempotencyKey="once", **values))["userErrors"]

    assert (first["code"], first["path"]) == ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    assert await everything(database) == before


async def test_what_was_refused_or_tried_uses_up_no_key(ask: Ask, world: World, job_id: str) -> None:
    refused = await change(ask, world, "publishDraft", job_id, idempotencyKey="once")
    await change(ask, world, "createDraft", job_id)
    await change(ask, world, "publishDraft", job_id, idempotencyKey="once", message="tried", dryRun=True)
    done = await change(ask, world, "publishDraft", job_id, idempotencyKey="once", message="done")

    assert [each["code"] for each in refused["userErrors"]] == ["DRAFT_NOT_FOUND"]
    assert (done["userErrors"], done["version"]["number"]) == ([], 3)


async def test_a_key_is_the_members_own(ask: Ask, world: World, job_id: str) -> None:
    query = """mutation ($id: ID!, $retries: Int) {
      createVersion(input: {jobId: $id, idempotencyKey: "once", changes: {maxRetries: $retries}}) {
        version { number } userErrors { code } } }"""

    first = await ask(world.contributor, query, id=job_id, retries=5)
    second = await ask(world.team_admin, query, id=job_id, retries=6)

    assert first["createVersion"] == {"version": {"number": 3}, "userErrors": []}
    assert second["createVersion"] == {"version": {"number": 4}, "userErrors": []}
