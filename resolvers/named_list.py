"""Lists of what an organization has, ordered by name, with a search: teams, clusters, members and others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from sqlalchemy import ColumnElement, bindparam

from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.resolvers import search
from mainsheet.resolvers.sql.array_param import TextArray, among
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.pagination.scan_then_index import ScanThenIndex
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Query, Row, Statement, View

ALL, FILTERED = "all", "filtered"
IMPLY_ORGANIZATION = {search.SEARCH}


@dataclass(frozen=True)
class NamedListArguments:
    """A page, and the conditions that a listed row must match. `None` is no condition."""

    page: PageArguments
    search: str | None = None
    statuses: tuple[ClusterStatus, ...] | None = None


def by_name(rows: Query[Row], model: type[Any]) -> Mapping[str, PagedList[Row]]:
    """Return the list of an organization's rows, and the same list with conditions."""
    columns = (model.organization_id, model.name, model.id)
    matches = ScanThenIndex(model, _by_index(model), _by_row, IMPLY_ORGANIZATION)
    filtered = PagedList(_filtered(rows, model), *columns, page_ids=matches.page_ids, rows_by_id=rows.build)
    return {ALL: PagedList(rows, *columns), FILTERED: filtered}


async def pages(
    read: Read, organization_ids: Sequence[str], arguments: NamedListArguments, lists: Mapping[str, PagedList[Row]]
) -> Mapping[str, Page[Row]]:
    parameters: dict[str, object] = dict(search.parameters(arguments.search or "", read.caller.organization_id))
    if arguments.statuses is not None:
        parameters["statuses"] = arguments.statuses
    path = lists[FILTERED if parameters else ALL]
    return await path.pages(read, organization_ids, arguments.page, parameters=parameters)


def _filtered(rows: Query[Row], model: type[Any]) -> Query[Row]:
    @wraps(rows.build)
    def build(view: View, *conditions: str) -> Statement:
        return rows.build(view).where(*_by_index(model)(*conditions))

    return Query(build, rows.row, rows.key, rows.more)


def _by_index(model: type[Any]) -> Callable[..., Sequence[ColumnElement[bool]]]:
    def conditions(*names: str) -> Sequence[ColumnElement[bool]]:
        is_found = [search.matches_by_index(search.SEARCH, model)] if search.SEARCH in names else []
        return [*is_found, *_by_status(model, *names)]

    return conditions


def _by_row(row: type[Any], *names: str) -> Sequence[ColumnElement[bool]]:
    is_found = [search.matches(search.SEARCH, row)] if search.SEARCH in names else []
    return [*is_found, *_by_status(row, *names)]


def _by_status(row: type[Any], *names: str) -> Sequence[ColumnElement[bool]]:
    return [among(row.status, bindparam("statuses", type_=TextArray()))] if "statuses" in names else []
