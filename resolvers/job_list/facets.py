"""Facets of lists of jobs: how many jobs of the whole list have each value.

A facet ignores the list's conditions on its own value, so that it also counts the jobs that another choice would show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.orm import aliased

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_tag import JobTag
from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import Team
from mainsheet.resolvers.job_filter import NEVER_RAN, TAG_COUNT
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Expression, Query, Statement, View

ALL = 1000  # more than any enum has values
SIZE = bindparam("size", type_=BigInteger())


class ValueCount(NamedTuple):
    """A value of a facet and the number of jobs that have it."""

    parent_key: str
    value: str | None
    total: int


@dataclass(frozen=True, eq=False)
class Facet:
    """`value` is what jobs are counted by, and `name` orders equal counts. `conditions` are those on the value."""

    conditions: frozenset[str]
    value: Expression
    name: Expression
    joins: Sequence[tuple[type, Expression]] = ()

    async def counts(
        self, read: Read, pages: Sequence[Page[Job]], size: int = ALL
    ) -> Mapping[Page[Job], list[ValueCount]]:
        """Return the most frequent values in each page's list, with one statement for all pages of one list."""
        answer: dict[Page[Job], list[ValueCount]] = {page: [] for page in pages}
        for filtered in dict.fromkeys(page.filtered_list for page in pages):
            own = {page.key: page for page in pages if page.filtered_list is filtered}
            parameters = {name: each for name, each in filtered.parameters.items() if name not in self.conditions}
            query = Query(self._grouped, ValueCount)
            shape = (filtered.paged_list, *parameters)
            for row in await read.rows(query, *shape, keys=list(own), size=size, **parameters):
                answer[own[row.parent_key]].append(row)
        return answer

    def _grouped(self, view: View, paged_list: PagedList[Job], *conditions: str) -> Statement:
        """Count each parent's jobs by value, and number the values of each parent."""
        parent = paged_list.parent.label("parent_key")
        rows = paged_list.counted(view, *conditions)
        for table, on in self.joins:
            rows = rows.join(table, on)
        columns = (parent, self.value.label("value"), self.name.label("name"))
        grouped = rows.with_only_columns(*columns, func.count().label("total")).group_by(parent, self.value, self.name)
        found = grouped.where(among(paged_list.parent, KEYS)).subquery("found")
        order = (found.c.total.desc(), found.c.name.is_(None), found.c.name, found.c.value)
        position = func.row_number().over(partition_by=found.c.parent_key, order_by=order).label("position")
        numbered = select(found, position).subquery("numbered")
        shown = select(numbered.c.parent_key, numbered.c.value, numbered.c.total)
        return shown.where(numbered.c.position <= SIZE).order_by(numbered.c.parent_key, numbered.c.position)


Grant = aliased(JobTeam)  # a list of a team's jobs has a join with the grants already

STATUSES = Facet(frozenset({"statuses"}), Job.status, Job.status)
TEAMS = Facet(
    frozenset({"team_ids"}),
    Team.id,
    Team.name,
    [(Grant, Grant.job_id == Job.id), (Team, Team.id == Grant.team_id)],
)
CLUSTERS = Facet(
    frozenset({"cluster_ids"}), Cluster.id, Cluster.name, [(Cluster, Cluster.id == Job.current_cluster_id)]
)
TAGS = Facet(
    frozenset({"tags_all_of", "tags_any_of", TAG_COUNT}), JobTag.tag, JobTag.tag, [(JobTag, JobTag.job_id == Job.id)]
)
LATEST_RUN_STATUSES = Facet(
    frozenset({"latest_run_statuses", f"latest_run_statuses{NEVER_RAN}"}), Job.latest_run_status, Job.latest_run_status
)


async def statuses(read: Read, pages: Sequence[Page[Job]]) -> Mapping[Page[Job], list[ValueCount]]:
    return await STATUSES.counts(read, pages)


async def teams(read: Read, pages: Sequence[Page[Job]], size: int) -> Mapping[Page[Job], list[ValueCount]]:
    return await TEAMS.counts(read, pages, size)


async def clusters(read: Read, pages: Sequence[Page[Job]], size: int) -> Mapping[Page[Job], list[ValueCount]]:
    return await CLUSTERS.counts(read, pages, size)


async def tags(read: Read, pages: Sequence[Page[Job]], size: int) -> Mapping[Page[Job], list[ValueCount]]:
    return await TAGS.counts(read, pages, size)


async def latest_run_statuses(read: Read, pages: Sequence[Page[Job]]) -> Mapping[Page[Job], list[ValueCount]]:
    """Count jobs by their latest run's status. The value is null for jobs that never ran."""
    return await LATEST_RUN_STATUSES.counts(read, pages)
