"""Changes that are committed while a mutation waits for a lock count as if they had been made before it."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.idempotency import KEPT, IdempotencyRecord
from mainsheet.models.roles import JobPermission
from mainsheet.resolvers.commands import job as job_commands
from mainsheet.resolvers.write import Write
from testbed.ask import CREATE_JOB, Ask, config, job_input
from testbed.world import World, caller
from tests.api.test_apply_jobs import applied, document, errors
from tests.locks import until_waiting

CREATE_DRAFT = """
mutation ($input: CreateDraftInput!) { createDraft(input: $input) { draft { id } userErrors { code path } } }
"""
NO_JOB = {"code": "JOB_NOT_FOUND", "path": ["jobId"]}

# On SQLite, writers run one after the other.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def while_uncommitted(
    database: Database, statement: str, values: Mapping[str, Any], mutation: Awaitable[dict[str, Any]]
) -> dict[str, Any]:
    """Run a mutation next to an open transaction, which is committed when the mutation waits for it."""
    async with database.writes.connect() as other:
        await other.execute(text(statement), values)
        answer = asyncio.ensure_future(mutation)
        await until_waiting(database, answer)
        await other.commit()
        return await answer


async def test_a_concurrently_deleted_dependency_is_not_found(ask: Ask, world: World, database: Database) -> None:
    job_id, gone = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("a", "b")]
    changes = {"dependencies": [{"jobId": gone}]}

    mutation = ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id, "changes": changes})
    answer = await while_uncommitted(database, "DELETE FROM job WHERE id = :id", {"id": gone}, mutation)

    path = ["changes", "dependencies", "0", "jobId"]
    assert answer["createDraft"] == {"draft": None, "userErrors": [{"code": "JOB_NOT_FOUND", "path": path}]}


async def test_a_new_jobs_deleted_dependency_is_not_found(ask: Ask, world: World, database: Database) -> None:
    gone = await ask.create_job(world.contributor, world, jobKey="a")
    wanted = job_input(world, jobKey="b", config=config(world, dependencies=[{"jobId": gone}]))

    mutation = ask(world.contributor, CREATE_JOB, input=wanted)
    answer = await while_uncommitted(database, "DELETE FROM job WHERE id = :id", {"id": gone}, mutation)

    assert [each["code"] for each in answer["createJob"]["userErrors"]] == ["JOB_NOT_FOUND"]


async def test_a_new_dependency_waits_for_no_change_of_the_job(ask: Ask, world: World, database: Database) -> None:
    job_id, other = [await ask.create_job(world.contributor, world, jobKey=key) for key in ("a", "b")]
    changes = {"dependencies": [{"jobId": other}]}

    async with AsyncSession(database.writes) as session, asyncio.timeout(30):
        await Write(session, caller(world.contributor)).job(other, JobPermission.EDIT)
        answer = await ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id, "changes": changes})

    assert answer["createDraft"]["userErrors"] == []


async def test_a_concurrently_deleted_job_is_not_found(ask: Ask, world: World, database: Database) -> None:
    job_id = await ask.create_job(world.contributor, world)

    mutation = ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id})
    answer = await while_uncommitted(database, "DELETE FROM job WHERE id = :id", {"id": job_id}, mutation)

    assert answer["createDraft"] == {"draft": None, "userErrors": [NO_JOB]}


async def test_a_concurrently_hidden_job_is_not_found(ask: Ask, world: World, database: Database) -> None:
    """Removing a team locks the job's row. A mutation that waited for it must check the grants again."""
    job_id = await ask.create_job(world.contributor, world)
    hide = (
        "WITH gone AS (DELETE FROM job_team WHERE job_id = :id) UPDATE job SET revision = revision + 1 WHERE id = :id"
    )

    mutation = ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id})
    answer = await while_uncommitted(database, hide, {"id": job_id}, mutation)

    assert answer["createDraft"] == {"draft": None, "userErrors": [NO_JOB]}


@pytest.mark.parametrize("options", [{"mode": "ALL_OR_NOTHING"}, {"mode": "EACH", "dryRun": True}])
async def test_a_repeated_transaction_names_the_same_paths(
    ask: Ask, world: World, database: Database, options: dict[str, Any]
) -> None:
    """The transaction is repeated because another one creates a job with the same key."""
    own = {"job_key": "new", "name": "New", "team_ids": [world.data_eng.id]}
    source = {"cluster_id": world.cluster.id, "source": {"sql_snapshot": {"sql": "SELECT 1"}}}
    async with AsyncSession(database.writes, autoflush=False) as session:
        write = Write(session, caller(world.contributor))
        await job_commands.create.run(write, **own, config=source)
        await session.flush()
        documents = [document("twin"), document("twin"), document("new")]
        answer = asyncio.ensure_future(applied(ask, world.contributor, *documents, **options))
        await until_waiting(database, answer)
        await session.commit()

    assert errors(await answer)[0] == ("INVALID", "jobs.1.jobKey")


async def test_mutations_do_not_wait_for_those_with_other_keys(ask: Ask, world: World, database: Database) -> None:
    """Another transaction has the actor's expired key: it is replaced there."""
    await applied(ask, world.contributor, document(), idempotencyKey="yesterday")
    async with AsyncSession(database.writes) as session:
        record = await session.get_one(IdempotencyRecord, (world.contributor.id, "yesterday"))
        record.created_at -= KEPT
        await session.commit()
        await session.refresh(record, with_for_update=True)
        async with asyncio.timeout(30):
            answer = await applied(ask, world.contributor, document("other"), idempotencyKey="today")

    assert [each["outcome"] for each in answer["results"]] == ["CREATED"]
