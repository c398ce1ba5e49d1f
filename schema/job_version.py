from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_version import SCHEDULE_COLUMNS, VersionStatus, schedule_of
from mainsheet.models.job_version import JobVersion as JobVersionRow
from mainsheet.resolvers import cluster, config_diff, job, job_version, member, saved_query
from mainsheet.resolvers.sql.pagination.listing import Paging, SortDirection
from mainsheet.schema import names
from mainsheet.schema.config import Compute, EnvironmentVariable, JobDependency, JobSchedule
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection, described, paged
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.source import QUERIES, JobSource
from mainsheet.schema.weight import weight

ENTRIES = weight(items=limits.ENTRIES.maximum)


def number(*, number: Annotated[int, described("The version's number, from 1.")]) -> int:
    return number


def since(
    *, since: Annotated[int | None, described("The number of the version to compare with. Default: `basedOn`.")] = None
) -> int | None:
    return since


@paged
def version_list(
    paging: Paging,
    *,
    sort_direction: Annotated[SortDirection | None, described("Which end comes first.")] = SortDirection.ASC,
) -> tuple[Paging, bool]:
    return paging, sort_direction is SortDirection.DESC


@strawberry.type(description="A snapshot of a job's configuration; once published, it never changes.")
class JobVersion(Node, prefix=JobVersionRow.PREFIX):
    job = relation(job.by_ids, names.Job, "The job.", key="job_id")
    number: int = strawberry.field(
        description="Counts the job's versions from 1; a discarded draft's isn't used again."
    )
    status: VersionStatus = strawberry.field(description="Where it is in its life.")
    is_current: bool = strawberry.field(description="Whether it is what runs.")
    based_on = relation(
        job_version.bases, names.JobVersion | None, "The version it was copied from. Null for the first."
    )
    message: str | None = strawberry.field(
        description="Why it was published. Null if nobody said.", metadata=weight(characters=limits.MESSAGE.maximum)
    )
    revision: int = strawberry.field(
        description="Grows by one with each change of the draft, from above those of earlier drafts; for"
        " `expectedRevision`."
    )
    cluster = relation(cluster.by_ids, names.Cluster, "Where it runs.", key="cluster_id", join="cluster")
    queries = relation(
        saved_query.of_versions,
        list[names.SavedQuery],
        "The saved queries it runs, in order. Empty for other sources.",
        weight=QUERIES,
    )
    dependencies = relation(job_version.dependencies, list[JobDependency], "The jobs it waits for.", weight=ENTRIES)
    max_retries: int = strawberry.field(description="How often a failed run is tried again, 0 to 10.")
    retry_delay_seconds: int = strawberry.field(description="The pause before another try.")
    timeout_seconds: int | None = strawberry.field(description="How long a run may take. Null: as long as it wants.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    created_by = relation(member.by_ids, names.Member, "Who began it.", key="created_by_id")
    published_at: datetime | None = strawberry.field(description="When it was published. Null for a draft.")
    published_by = relation(
        member.by_ids, names.Member | None, "Who published it. Null for a draft.", key="published_by_id"
    )
    changes = relation(
        config_diff.of_versions,
        list[ConfigChange],
        "What differs from another version, by path; the first version differs from nothing in all it has.",
        arguments=since,
        weight=CHANGES,
    )

    @strawberry.field(description="What it runs.", graphql_type=JobSource, metadata=reads("source_kind"))
    def source(root: strawberry.Parent[Any]) -> Any:  # noqa: N805 the row is the parent
        return root

    @strawberry.field(
        description="When it runs by itself. Null: only by hand.",
        graphql_type=JobSchedule | None,
        metadata=reads(*SCHEDULE_COLUMNS),
    )
    def schedule(root: strawberry.Parent[Any]) -> Any:  # noqa: N805
        return schedule_of(root)

    @strawberry.field(description="What it runs on.", graphql_type=Compute, metadata=reads())
    def compute(root: strawberry.Parent[Any]) -> Any:  # noqa: N805
        return root

    @strawberry.field(
        description="The variables that a run finds in its environment.",
        graphql_type=list[EnvironmentVariable],
        metadata=reads("environment") | ENTRIES,
    )
    def environment(root: strawberry.Parent[Any]) -> Iterable[Any]:  # noqa: N805
        return [EnvironmentVariable(**each) for each in root.environment]


@strawberry.type(description="One page of a list of versions.")
class JobVersionConnection(Connection[JobVersion]): ...
