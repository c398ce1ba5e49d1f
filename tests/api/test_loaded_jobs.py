"""A mutation loads the job that it changes by few statements, which were most of its cost."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World, make_saved_query

CREATE_DRAFT = "mutation ($i: CreateDraftInput!) { createDraft(input: $i) { userErrors { code } } }"
UPDATE = "mutation ($i: UpdateJobInput!) { updateJob(input: $i) { userErrors { code } } }"
UPDATE_DRAFT = (
    "mutation ($i: UpdateDraftInput!) { updateDraft(input: $i) { job { draft { number } } userErrors { code } } }"
)


@pytest.fixture
async def query_id(database: Database, world: World) -> str:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        return (await make_saved_query(session, world.organization)).id


@pytest.mark.parametrize(("has_queries", "count"), [(False, 4), (True, 5)])
async def test_a_job_is_loaded_with_its_draft_by_few_statements(
    ask: Ask, world: World, query_id: str, has_queries: bool, count: int
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    source = {"savedQueries": {"queryIds": [query_id]}} if has_queries else {"sqlSnapshot": {"sql": "SELECT 2"}}
    draft = await ask(world.contributor, CREATE_DRAFT, i={"jobId": job_id, "changes": {"source": source}})
    assert draft["createDraft"]["userErrors"] == []

    answer = await ask(world.contributor, UPDATE, i={"jobId": job_id, "description": "new"})

    assert answer["updateJob"]["userErrors"] == []
    assert len([sql for sql in ask.statements if sql.startswith("SELECT")]) == count


async def test_the_draft_is_found_beside_an_older_current_version(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    create = "mutation ($i: CreateVersionInput!) { createVersion(input: $i) { userErrors { code } } }"
    activate = "mutation ($i: ActivateVersionInput!) { activateVersion(input: $i) { userErrors { code } } }"
    await ask(world.contributor, create, i={"jobId": job_id, "changes": {"maxRetries": 1}})
    await ask(world.contributor, activate, i={"jobId": job_id, "number": 1})
    await ask(world.contributor, CREATE_DRAFT, i={"jobId": job_id, "changes": {"maxRetries": 2}})

    answer = await ask(world.contributor, UPDATE_DRAFT, i={"jobId": job_id, "changes": {"maxRetries": 3}})

    assert answer["updateDraft"] == {"job": {"draft": {"number": 3}}, "userErrors": []}
