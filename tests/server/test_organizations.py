"""`mainsheet organization` lists and deletes organizations; `mainsheet members export` prints a member's data."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Column, ForeignKeyConstraint, Select, Table, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.demo.people import HARBOR
from mainsheet.models import organization_deletion
from mainsheet.models.base import UtcDateTime
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.event import EventAction
from mainsheet.models.idempotency import IdempotencyRecord
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.organization_deletion import batch_of, delete_organization, organization, organizations
from mainsheet.models.tables import Base
from mainsheet.server.auth import tokens
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.cli import main
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.member_data import MEMBERS, nodes
from tests.server.commands import clean, invoke, serving

TABLES = [each for each in Base.metadata.sorted_tables if "organization_id" in each.c]
ADMIN, LAGOON = "admin@harbor.example", "admin@lagoon.example"
REST = {
    "webhook",
    "webhook_secret",
    "webhook_delivery",
    "deleted_job",
    "deleted_job_team",
    "run_lease",
    "saved_query_revision",
    "executed_query",
}
RENAME = "mutation ($input: UpdateMemberInput!) { updateMember(input: $input) { userErrors { message } } }"


@pytest.fixture
def database_url(demo_url: str) -> str:
    return demo_url


async def ids(database: Database) -> dict[str, str]:
    async with database.reads.connect() as connection:
        return {name: id_ for id_, name in await connection.execute(select(Organization.id, Organization.name))}


async def counts(database: Database, organization_id: str) -> dict[str, int]:
    async with database.reads.connect() as connection:
        return {each.name: await count(connection, each, organization_id) for each in TABLES}


async def count(connection: Any, table: Table, organization_id: str) -> int:
    own = select(func.count()).select_from(table).where(table.c.organization_id == organization_id)
    return int(await connection.scalar(own))


async def add_idempotency_record(database: Database, organization_id: str) -> None:
    async with database.writes.begin() as connection:
        own = select(Member.id).where(Member.organization_id == organization_id).limit(1)
        values = {"actor_id": await connection.scalar(own), "organization_id": organization_id, "key": "one"}
        rest = {"input_digest": "", "answer": {}, "created_at": datetime.now(UTC)}
        await connection.execute(insert(IdempotencyRecord).values(**values, **rest))


async def test_an_organization_is_deleted_with_all_that_it_has(
    database: Database, demo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_deletion, "BATCH", 50)
    monkeypatch.setattr(organization_deletion, "JOBS", 3)
    harbor, lagoon = (await ids(database))["harbor"], (await ids(database))["lagoon"]
    secret = await tokens.create(database, ADMIN, None, None)
    await add_idempotency_record(database, harbor)
    before, others = await counts(database, harbor), await counts(database, lagoon)

    async for batch in delete_organization(database, harbor):
        if "event" in batch:
            break  # as an interrupted command does
    authenticator = Authenticator(database, LastUse(database))
    refused = await authenticator.caller(f"Bearer {secret}", "127.0.0.1")
    await authenticator.close()
    done = await asyncio.to_thread(invoke, "organization", "delete", "--yes", harbor, MAINSHEET_DATABASE_URL=demo_url)
    again = await asyncio.to_thread(invoke, "organization", "delete", "--yes", harbor, MAINSHEET_DATABASE_URL=demo_url)

    assert refused is None
    assert {name for name, number in before.items() if not number} <= REST
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Deleted the organization harbor, {harbor}: ")
    assert set((await counts(database, harbor)).values()) == {0}
    assert await counts(database, lagoon) == others
    assert (again.returncode, again.stdout) == (1, "")
    assert f"There is no organization {harbor}: `mainsheet organization list` shows all." in again.stderr


async def test_rows_of_an_organization_are_found_by_an_index(database: Database) -> None:
    """Each batch would scan the rows of all organizations otherwise, and so would the check of each foreign key."""
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    async with database.reads.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        for table in TABLES:
            for statement in (batch_of(table, "OR1"), *map(referring, table.foreign_key_constraints)):
                sql = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
                plan = [row[-1] for row in await connection.execute(text(f"{explain} {sql}"))]

                assert not [line for line in plan if line.startswith("SCAN") or "Seq Scan" in line], (str(sql), plan)


def referring(key: ForeignKeyConstraint) -> Select[int]:
    """Select as the database does to check whether a row may be deleted."""
    return select(literal(1)).where(*(column == _any_value(column) for column in key.columns))


def _any_value(column: Column[Any]) -> Any:
    return datetime(2026, 1, 1, tzinfo=UTC) if isinstance(column.type, UtcDateTime) else column.type.python_type()


async def test_rows_that_a_mutation_adds_meanwhile_are_deleted_too(database: Database) -> None:
    lagoon = (await ids(database))["lagoon"]
    deletion = delete_organization(database, lagoon)
    async for batch in deletion:
        if "job" in batch:
            break  # all events are deleted by now
    await add_event(database, lagoon)

    rest = [batch async for batch in deletion]

    assert rest[-1] == {"organization": 1}
    assert {"event": 1} in rest
    assert set((await counts(database, lagoon)).values()) == {0}


async def add_event(database: Database, organization_id: str) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        member = (await session.scalars(select(Member).where(Member.organization_id == organization_id))).first()
        assert member
        edit = Edit(member.id, datetime.now(UTC))
        edit.record(EventAction.MEMBER_UPDATED, member, member.name)
        session.add_all(edit.events)


async def test_nothing_is_deleted_before_the_name_is_typed(database: Database, demo_url: str) -> None:
    lagoon = (await ids(database))["lagoon"]
    before = await counts(database, lagoon)

    def typed(text: str) -> Any:
        runner = CliRunner(env=clean({"MAINSHEET_DATABASE_URL": demo_url}))
        return runner.invoke(main, ["organization", "delete", lagoon], input=text)

    unasked = await asyncio.to_thread(typed, "")
    assert "There is no terminal to ask for the name: use --yes." in unasked.stderr
    refused = await asyncio.to_thread(typed, "harbor\n")
    assert refused.exit_code == 1
    assert "The name is another one. Nothing was deleted." in refused.stderr
    assert await counts(database, lagoon) == before

    assert (await asyncio.to_thread(typed, "lagoon\n")).exit_code == 0
    assert set((await counts(database, lagoon)).values()) == {0}


async def test_organizations_are_listed(database: Database, demo_url: str) -> None:
    found = await organizations(database)
    shown = await asyncio.to_thread(invoke, "organization", "list", MAINSHEET_DATABASE_URL=demo_url)
    as_json = await asyncio.to_thread(invoke, "organization", "list", "--json", MAINSHEET_DATABASE_URL=demo_url)

    assert [each.name for each in found] == ["harbor", "lagoon"]
    assert [await organization(database, each.id) for each in found] == found
    assert shown.stdout.splitlines()[0].split() == ["ID", "NAME", "MEMBERS", "SERVICE", "ACCOUNTS", "JOBS", "RUNS"]
    first = json.loads(as_json.stdout)[0]
    assert first["members"] == len(HARBOR)
    assert (first["name"], first["jobs"], first["runs"]) == ("harbor", found[0].jobs, found[0].runs)


@pytest.mark.parametrize("id_", ["OR0", "", "\x01"])
async def test_an_unknown_organization_is_refused(id_: str, sqlite_demo_url: str) -> None:
    done = await asyncio.to_thread(
        invoke, "organization", "delete", "--yes", id_, MAINSHEET_DATABASE_URL=sqlite_demo_url
    )

    assert done.returncode == 1
    assert "There is no organization" in done.stderr


async def test_the_data_of_a_member_is_exported(database: Database, demo_url: str) -> None:
    secret = await tokens.create(database, ADMIN, None, "export")
    who = "contributor@harbor.example"
    await tokens.create(database, who, None, "laptop")

    with serving(environment={"MAINSHEET_DATABASE_URL": demo_url}) as server:
        remote = {"MAINSHEET_URL": server.url, "MAINSHEET_TOKEN": secret}
        async with Remote(server.url, secret) as admin:
            (member,) = [each async for each in nodes(admin, MEMBERS) if each["email"] == who]
            await admin.send(RENAME, input={"memberId": member["id"], "name": "Jon"})
        done = await asyncio.to_thread(invoke, "members", "export", who.upper(), **remote)
        unknown = await asyncio.to_thread(invoke, "members", "export", "nobody@harbor.example", **remote)
        foreign = await asyncio.to_thread(invoke, "members", "export", LAGOON, **remote)

    data = json.loads(done.stdout)
    assert data["member"]["email"] == who
    assert data["teams"][0].keys() == {"id", "name", "role"}
    assert [each["name"] for each in data["accessTokens"]] == ["laptop"]
    assert len(data["jobsCreated"]) > 0
    assert {each["actor"]["id"] for each in data["eventsOfMember"]} == {data["member"]["id"]}
    assert [each["action"] for each in data["eventsAboutMember"]] == ["MEMBER_UPDATED"]
    assert "mst_" not in done.stdout
    for each in (unknown, foreign):
        assert (each.returncode, each.stdout) == (1, "")
        assert "There is no member" in each.stderr
