"""`Job.document`: any job that is exported and applied to another organization is equal there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.member import Member
from mainsheet.models.roles import OrganizationRole
from mainsheet.server.job_files import export, files, plan
from mainsheet.server.job_files.document import Document
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.yaml_document import parsed
from testbed.ask import Ask, config
from testbed.world import World, make_cluster, make_member, make_organization, make_saved_query, make_team
from tests.api.any_document import CLUSTERS, QUERIES, TEAMS, graphs

JOBS = """{ jobs(sortBy: JOB_KEY) { nodes { id jobKey name description tags status teams { nodes { name } }
  currentVersion { input } } } }"""
DOCUMENT = "query ($id: ID!) { job(id: $id) { document } }"
NAMES = "{ clusters { nodes { id name } } savedQueries { nodes { id name } } }"
DELETE = "mutation ($id: ID!) { deleteJob(input: {jobId: $id, force: true}) { userErrors { message } } }"


class InProcess(Remote):
    """Runs operations as an administrator of one organization, without HTTP."""

    def __init__(self, ask: Ask, admin: Member) -> None:
        self._ask, self._admin = ask, admin

    async def send(self, query: str, **variables: Any) -> Mapping[str, Any]:
        return await self._ask(self._admin, query, **variables)


@pytest.fixture
async def organizations(database: Database) -> list[Member]:
    """Make two organizations with objects of the same names, and return an administrator of each."""
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        admins = []
        for name in ("here", "elsewhere"):
            organization = await make_organization(session, name=name)
            for each in TEAMS:
                await make_team(session, organization, name=each)
            for each in CLUSTERS:
                await make_cluster(session, organization, name=each)
            for each in QUERIES:
                await make_saved_query(session, organization, name=each)
            admins.append(await make_member(session, organization, organization_role=OrganizationRole.ADMIN))
    return admins


async def apply(remote: Remote, documents: Sequence[Document]) -> list[str]:
    """Apply the documents as `mainsheet jobs apply` would after it read their files, and return the outcomes."""
    read = [files.JobFile(Path(), parsed(files.text_of(each))) for each in documents]
    batches = plan.applied(remote, read, publish=True, message=None)
    steps = [step async for batch in batches for step in batch]
    assert [step.faults for step in steps if step.faults] == []
    return [step.outcome for step in steps]


async def exported(remote: Remote) -> list[Document]:
    return [each.document async for each in export.jobs(remote)]


async def seen(remote: Remote) -> list[Any]:
    """Return all jobs with names in place of the ids that differ between organizations, not read by the export."""
    found = await remote.send(NAMES)
    jobs = (await remote.send(JOBS))["jobs"]["nodes"]
    names = {each["id"]: each["name"] for kind in found.values() for each in kind["nodes"]}
    names |= {each["id"]: each["jobKey"] for each in jobs}
    return [_named({**each, "id": None}, names) for each in jobs]


def _named(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: _named(each, names) for key, each in value.items()}
        case list():
            return [_named(each, names) for each in value]
        case str():
            return names.get(value, value)
    return value


async def remove_jobs(database: Database) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(delete(Job))
        await session.execute(delete(Event))


@settings(max_examples=25)
@given(graphs, graphs, st.booleans())
async def test_any_exported_job_is_equal_elsewhere(
    ask: Ask, organizations: Sequence[Member], first: Sequence[Document], second: Sequence[Document], is_deleted: bool
) -> None:
    here, elsewhere = [InProcess(ask, each) for each in organizations]
    await remove_jobs(ask.database)
    await apply(here, first)
    await apply(here, second)
    if is_deleted:
        (job, *_) = (await here.send(JOBS))["jobs"]["nodes"]
        await here.send(DELETE, id=job["id"])
    originals = await exported(here)

    created = await apply(elsewhere, originals)
    again = [await apply(each, originals) for each in (here, elsewhere)]

    assert created == ["CREATED"] * len(originals)
    assert again == [["UNCHANGED"] * len(originals)] * 2
    assert await exported(elsewhere) == originals
    assert await seen(elsewhere) == await seen(here)


async def test_a_document_leaves_out_dependencies_on_hidden_jobs(ask: Ask, world: World) -> None:
    hidden = await ask.create_job(world.admin, world, jobKey="hidden", teamIds=[world.platform.id])
    waiting = config(world, dependencies=[{"jobId": hidden}])
    seen = await ask.create_job(world.admin, world, jobKey="seen", config=waiting)

    documents = [(await ask(member, DOCUMENT, id=seen))["job"]["document"] for member in (world.admin, world.viewer)]

    shown = [each["config"].pop("dependencies") for each in documents]
    assert shown == [[{"jobKey": "hidden", "condition": "ON_SUCCESS"}], []]
    assert documents[0] == documents[1]
    assert (await ask(world.outsider, DOCUMENT, id=seen))["job"] is None
