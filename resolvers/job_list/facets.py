"""Facets of lists of jobs: how many jobs of the whole list have each value.

A facet ignores the list's conditions on its own value, so that it also counts the jobs that another choice would show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select, true
from sqlalchemy.orm import aliased

from mainsheet.models.cluster import Cluster
from mainsheet.models.job import Job
from mainsheet.models.job_tag import JobTag
from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import Team
from mainsheet.resolvers.job_filter import NEVER_RAN, TAG_COUNT
from mainsheet.resolvers.permissions import sees_all_jobs
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.paged_list import Page, PagedList
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Expression, Query, Statement, View

ALL = 1000  # more than any enum has values
SIZE = bindparam("size", type_=BigInteger())


class ValueCount(NamedTuple):
    """A value of a facet and the number of jobs that have it."""

    parent_key: str
    value: str | None
    total: int


@dataclass(frozen=True, eq=False)
class Facet:
    """`conditions` are those on the `value` that jobs are counted by.

    A job has one value, or many in the rows of another table, whose `job_id` refers to the job. Equal counts are
    ordered by the name in the table `named_by` if the value is an id, else by the value.
    """

    conditions: frozenset[str]
    value: Attribute
    job_id: Attribute | None = None
    named_by: type[Cluster | Team] | None = None

    async def counts(
        self, read: Read, pages: Sequence[Page[Job]], size: int = ALL
    ) -> Mapping[Page[Job], list[ValueCount]]:
        """Return the most frequent values in each page's list, with one statement for all pages of one list."""
        answer: dict[Page[Job], list[ValueCount]] = {page: [] for page in pages}
        for filtered in dict.fromkeys(page.filtered_list for page in pages):
            own = {page.key: page for page in pages if page.filtered_list is filtered}
            parameters = {name: each for name, each in filtered.parameters.items() if name not in self.conditions}
            counted = await filtered.paged_list.to_count(read, parameters)
            query, shape = Query(self._grouped, ValueCount), (counted, *parameters)
            if filtered.paged_list.parent is Job.organization_id and not parameters and sees_all_jobs(read.caller):
                query, shape = Query(self._of_organizations, ValueCount), ()
            for row in await read.rows(query, *shape, keys=list(own), size=size, **parameters):
                answer[own[row.parent_key]].append(row)
        return answer

    def _grouped(self, view: View, paged_list: PagedList[Job], *conditions: str) -> Statement:
        """Count each parent's jobs by value. Without the offset, SQLite might read an index of all values for it."""
        parent = paged_list.parent.label("parent_key")
        jobs = paged_list.counted(view, *conditions).where(among(paged_list.parent, KEYS))
        rows, value = self._with_values(view, jobs)
        own = rows.with_only_columns(parent, value.label("value")).offset(NO_OFFSET).subquery("own").c
        counts = select(own.parent_key, own.value, func.count().label("total"))
        return self._most_frequent(counts.group_by(own.parent_key, own.value))

    def _of_organizations(self, _view: View) -> Statement:
        """Count all jobs by value. An index of the values has this without a look at each job."""
        if self.named_by is None:
            of = self.value.parent.entity.organization_id
            columns = (of.label("parent_key"), self.value.label("value"), func.count().label("total"))
            return self._most_frequent(select(*columns).where(among(of, KEYS)).group_by(of, self.value))
        owner = aliased(self.named_by)
        jobs = select(func.count()).where(self.value == owner.id).correlate(owner).scalar_subquery()
        columns = (owner.organization_id.label("parent_key"), owner.id.label("value"), jobs.label("total"))
        return self._most_frequent(select(*columns).where(among(owner.organization_id, KEYS)))

    def _most_frequent(self, counts: Statement) -> Statement:
        """Number the values of each parent, and select the first ones."""
        counted = counts.subquery("counted")
        rows: Statement = select(counted)
        name: Expression = counted.c.value
        if self.named_by:
            rows, name = rows.join(self.named_by, self.named_by.id == counted.c.value), self.named_by.name
        order = (counted.c.total.desc(), name.is_(None), name, counted.c.value)
        position = func.row_number().over(partition_by=counted.c.parent_key, order_by=order).label("position")
        numbered = rows.add_columns(position).where(counted.c.total > 0).subquery("numbered")
        shown = select(numbered.c.parent_key, numbered.c.value, numbered.c.total)
        return shown.where(numbered.c.position <= SIZE).order_by(numbered.c.parent_key, numbered.c.position)

    def _with_values(self, view: View, jobs: Statement) -> tuple[Statement, Expression]:
        """Join the values of jobs that have many.

        They are looked up for each job. Otherwise, PostgreSQL would read those of all organizations.
        """
        if self.job_id is None:
            return jobs, self.value
        own = self.job_id == Job.id
        if view.is_sqlite:
            return jobs.join(self.value.parent.entity, own), self.value
        values = select(self.value.label("value")).where(own).offset(NO_OFFSET).lateral("own_values")
        return jobs.join(values, true()), values.c.value


STATUSES = Facet(frozenset({"statuses"}), Job.status)
Grant = aliased(JobTeam)  # a list of a team's jobs has a join with the grants already
TEAMS = Facet(frozenset({"team_ids"}), Grant.team_id, Grant.job_id, Team)
CLUSTERS = Facet(frozenset({"cluster_ids"}), Job.current_cluster_id, named_by=Cluster)
TAGS = Facet(frozenset({"tags_all_of", "tags_any_of", TAG_COUNT}), JobTag.tag, JobTag.job_id)
LATEST_RUN_STATUSES = Facet(
    frozenset({"latest_run_statuses", f"latest_run_statuses{NEVER_RAN}"}), Job.latest_run_status
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
