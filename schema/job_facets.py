"""Facets of lists of jobs."""

from typing import Annotated, Any

import strawberry

from mainsheet.models import limits
from mainsheet.models.job import JobStatus
from mainsheet.models.job_run import JobRunStatus
from mainsheet.resolvers import cluster, team
from mainsheet.resolvers.job_list import facets
from mainsheet.schema import names
from mainsheet.schema.connection import described
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight

ORDER = "ordered by count, the largest first, then by"


def first(*, first: Annotated[int, described("The number of values to return, 0 to 100.")] = 20) -> int:
    return limits.PAGE_SIZE.argument("first", first)


def _count() -> Any:
    return strawberry.field(name="count", description="The number of jobs.")


@strawberry.type(description="The number of jobs with a status.")
class JobStatusCount:
    value: JobStatus = strawberry.field(description="The status.")
    total: int = _count()


@strawberry.type(description="The number of jobs to which a team has access.")
class TeamCount:
    node = relation(team.by_ids, names.Team, "The team.", key="value")
    total: int = _count()


@strawberry.type(description="The number of jobs whose current version runs on a cluster.")
class ClusterCount:
    node = relation(cluster.by_ids, names.Cluster, "The cluster.", key="value")
    total: int = _count()


@strawberry.type(description="The number of jobs with a tag.")
class TagCount:
    value: str = strawberry.field(description="The tag.")
    total: int = _count()


@strawberry.type(description="The number of jobs whose latest run has a status.")
class LatestRunStatusCount:
    value: JobRunStatus | None = strawberry.field(description="The status. Null for jobs without runs.")
    total: int = _count()


@strawberry.type(
    description=(
        "The number of jobs by several values, over the whole list and not only the page. Each facet ignores the"
        " filter's conditions on its own value, so that it also counts the jobs that another choice would show. Values"
        " without jobs are left out. Each selected facet costs a database query that grows with the list."
    )
)
class JobFacets:
    statuses = relation(
        facets.statuses,
        list[JobStatusCount],
        f"The jobs by status, {ORDER} status.",
        key="itself",
        weight=weight(items=len(JobStatus)),
    )
    teams = relation(
        facets.teams,
        list[TeamCount],
        f"The jobs by the teams with access, {ORDER} name. A job counts for each of its teams.",
        key="itself",
        arguments=first,
    )
    clusters = relation(
        facets.clusters,
        list[ClusterCount],
        f"The jobs by the cluster of the current version, {ORDER} name.",
        key="itself",
        arguments=first,
    )
    tags = relation(
        facets.tags,
        list[TagCount],
        f"The jobs by tag, {ORDER} tag. A job counts for each of its tags.",
        key="itself",
        arguments=first,
    )
    latest_run_statuses = relation(
        facets.latest_run_statuses,
        list[LatestRunStatusCount],
        f"The jobs by the status of their latest run, {ORDER} status.",
        key="itself",
        weight=weight(items=len(JobRunStatus) + 1),
    )
