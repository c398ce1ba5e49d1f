"""`mainsheet explain` shows the same SQL, without a database, that a database receives."""

import re
from random import Random

import pytest
from graphql import parse, validate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.executor import Executor, Prepared, Request, core_schema
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.job_list import access_paths
from mainsheet.resolvers.job_list.bounded_counts import BoundedCounts, grants
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.operations.documents import operation_of
from mainsheet.server.operations.explanation import NO_STATEMENT, Dialect, explained
from testbed.statements import statements_of
from testbed.world import caller
from tests.executor.operations import Writer

BOARD = """
query ($limit: Int!) {
  me {
    actor { displayName }
    jobs(limit: $limit) {
      totalCount
      nodes {
        jobKey teams { totalCount nodes { name } } latestRun { status } createdBy { id } updatedBy { id }
        currentVersion { cluster { name } dependencies { job { name } } }
      }
    }
  }
}
"""
ONE = '{ jobByKey(jobKey: "a") { teams { nodes { name } } } }'
SQL = re.compile(r"((?:^    #   .*\n)+)(?=^    m\d+ = await)", re.MULTILINE)
IDS = {
    "Query.job.id": lambda _: "JB1",
    "Query.team.id": lambda _: "TM1",
    "Query.cluster.id": lambda _: "CL1",
    "Query.member.id": lambda _: "MB1",
    "Query.serviceAccount.id": lambda _: "SA1",
    "Query.savedQuery.id": lambda _: "SQ1",
    "Query.webhook.id": lambda _: "WH1",
    "Query.node.id": lambda _: "JB1",
    "ids": lambda _: ["JB1", "JB2"],
    "jobKey": lambda _: "a",
    "externalId": lambda _: "00u1",
    "number": lambda _: 1,
}


def request(text: str, **variables: object) -> Request:
    document = parse(text)
    assert validate(core_schema(api), document) == []
    return Request(Prepared(core_schema(api), document, operation_of(document, None)), variables)


def statements(text: str) -> list[str]:
    shown = "".join(SQL.findall(text)).replace("    #   ", "")
    return [each.strip() for each in shown.split(";\n") if each.strip()]


async def shown(text: str, dialect: Dialect = "postgresql", role: str = "MEMBER", **variables: object) -> list[str]:
    return statements(await explained(request(text, **variables), dialect, OrganizationRole(role)))


async def test_explained_statements_are_those_that_are_sent(
    demo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_paths, "GRANT_COUNTS", BoundedCounts(grants))  # other tests ask as the same member
    async with AsyncSession(demo_database.reads) as session:
        contributors = select(Member).where(Member.email == "contributor@harbor.example")
        asker = caller((await session.scalars(contributors)).one())
    context, heard = Context(demo_database, asker), statements_of(demo_database)

    asked = request(BOARD, limit=20)
    result = await Executor(api, believes_rows=True).execute(Request(asked.operation, asked.variables, context, asker))
    await context.close()

    assert result.errors is None
    dialect: Dialect = "sqlite" if demo_database.is_sqlite else "postgresql"
    assert await shown(BOARD, dialect, asker.organization_role, limit=20) == [each.strip() for each in heard]


async def test_roles_that_see_every_job_skip_the_team_filter() -> None:
    assert "team_member" in (await shown("{ jobs { nodes { id } } }"))[0]
    assert "team_member" not in (await shown("{ jobs { nodes { id } } }", role="ADMIN"))[0]


@pytest.mark.parametrize(
    ("dialect", "several"),
    [("postgresql", "= ANY ((SELECT CAST($1"), ("sqlite", "IN (SELECT value FROM json_each(?))")],
)
async def test_explain_uses_several_keys_for_several_parents(dialect: Dialect, several: str) -> None:
    of_one, of_many = await shown(ONE, dialect), await shown(BOARD, dialect, limit=3)

    assert not [each for each in of_one if several in each]
    assert [each for each in of_many if several in each]


async def test_an_unread_page_has_no_statement() -> None:
    page, total = SQL.findall(await explained(request("{ jobs { totalCount } }"), "postgresql", OrganizationRole.ADMIN))

    assert page.strip() == f"#   {NO_STATEMENT}"
    assert "count(*)" in total


async def test_every_batch_of_any_operation_shows_its_statement() -> None:
    for seed in range(40):
        made = Writer(core_schema(api), Random(seed), IDS).operation()
        text = await explained(request(made.text, **made.variables), "postgresql", OrganizationRole.MEMBER)

        assert len(SQL.findall(text)) == len(re.findall(r"^    m\d+ = await", text, re.MULTILINE)), made
