"""The declared row types of statements: each attribute must be a selected column."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Dialect, make_url

from mainsheet import resolvers
from mainsheet.models.base import Base
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers import job
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.pagination.paged_list import PagedList, PageRow, Total
from mainsheet.resolvers.sql.statement import Query, View

DIALECTS = [make_url(f"{each}://").get_dialect()() for each in ("sqlite+aiosqlite", "postgresql+asyncpg")]
OF_ONE_PARENT = {"id", "sort_key"}
OF_MANY_PARENTS = ({"parent_index"}, {"parent_key"})


def everything() -> Iterator[Any]:
    for module in pkgutil.walk_packages(resolvers.__path__, "mainsheet.resolvers."):
        for value in vars(importlib.import_module(module.name)).values():
            yield from value.values() if isinstance(value, dict) else [value]


QUERIES = list({each: None for each in everything() if isinstance(each, Query)})
LISTS = list({each: None for each in everything() if isinstance(each, PagedList)})


def view(dialect: Dialect) -> View:
    return View(Caller("ME", "OR", OrganizationRole.MEMBER), None, is_sqlite=dialect.name == "sqlite")


def attributes(row: type) -> set[str]:
    if issubclass(row, Base):
        return {column.name for column in row.__table__.columns} - job.FOR_LISTS
    return set(row._fields)  # type: ignore[attr-defined]  # a named tuple


def list_name(paged_list: PagedList[Any]) -> str:
    return f"{name_of(paged_list.rows)}-{paged_list.parent}-{paged_list.by.key}-{LISTS.index(paged_list)}"


def name_of(query: Query[Any]) -> str:
    return f"{query.build.__module__}.{query.build.__name__}"


@pytest.mark.parametrize("query", QUERIES, ids=name_of)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_a_statement_selects_each_attribute_of_its_rows(dialect: Dialect, query: Query[Any]) -> None:
    needed = list(inspect.signature(query.build).parameters.values())[1:]
    shape = [True for each in needed if each.kind is not each.VAR_POSITIONAL]

    selected = set(query(view(dialect), *shape).selected_columns.keys())

    missing = set().union(*map(attributes, (query.row, *query.more))) - selected
    assert missing <= {"digest"}  # the hash of a token is read to authenticate only
    assert query.key in selected


@pytest.mark.parametrize("paged_list", LISTS, ids=list_name)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_a_list_selects_what_its_pages_need(dialect: Dialect, paged_list: PagedList[Any]) -> None:
    page = set(paged_list.page_of_one(view(dialect), False, False).selected_columns.keys())
    pages = set(paged_list.pages_of_many(view(dialect), False, False).selected_columns.keys())
    counts = set(paged_list.counts(view(dialect)).selected_columns.keys())

    assert page >= OF_ONE_PARENT
    assert pages & set(PageRow._fields) in [OF_ONE_PARENT | each for each in OF_MANY_PARENTS]
    assert counts == set(Total._fields)
