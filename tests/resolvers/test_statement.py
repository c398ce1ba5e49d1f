"""Statements of every shape, without a database: any relations can be joined together."""

from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Dialect, make_url

from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers import job
from mainsheet.resolvers.sql.statement import Columns, compiled_statement
from tests.resolvers.queries import queries

CLUSTER = ("cluster", frozenset({"name"}))
JOINS = (
    ("current_version", frozenset({"number"})),
    ("current_version", frozenset({"number", CLUSTER})),
    ("current_version", frozenset({"status", "number"})),
    ("latest_run", frozenset({"status"})),
    ("latest_run", None),
)
DIALECTS = [make_url(f"{each}://").get_dialect()() for each in ("sqlite+aiosqlite", "postgresql+asyncpg")]


SETS_OF_JOINS = [joins for size in range(len(JOINS) + 1) for joins in combinations(JOINS, size)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
@pytest.mark.parametrize("joins", SETS_OF_JOINS, ids=[str(each) for each in range(len(SETS_OF_JOINS))])
def test_any_relations_can_be_joined_together(dialect: Dialect, joins: tuple[Any, ...]) -> None:
    columns: Columns = frozenset({"name", *joins})
    for query in queries(job):
        prepared = compiled_statement(dialect, OrganizationRole.MEMBER, columns, query.build, (), one_key=False)
        for table, name in (("cluster", "cluster"), ("job_run", "latest_run"), ("job_version", "current_version")):
            is_joined = f"JOIN {table} " in prepared.sql or f"FROM {table} " in prepared.sql  # inside of LATERAL
            assert is_joined == (f"'{name}'" in str(columns))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_one_key_is_compared_by_equality(dialect: Dialect) -> None:
    (by_ids,) = [each for each in queries(job) if each.key == "id"]

    def text(*, one_key: bool) -> str:
        return compiled_statement(dialect, OrganizationRole.ADMIN, frozenset(), by_ids.build, (), one_key=one_key).sql

    assert "job.id = " in text(one_key=True)
    assert "job.id = ANY" in text(one_key=False) or "job.id IN (SELECT value FROM json_each" in text(one_key=False)
