from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import strawberry

from mainsheet.models import limits
from mainsheet.models.job_version import SCHEDULE_COLUMNS, JobVersionStatus, schedule_of
from mainsheet.models.job_version import JobVersion as JobVersionRow
from mainsheet.resolvers import actor, cluster, config_diff, job, job_config, job_dependency, job_run, job_version
from mainsheet.schema import names
from mainsheet.schema.config import Compute, EnvironmentVariable, JobDependency, JobSchedule
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.connection import Connection, described
from mainsheet.schema.job_config import JobConfig
from mainsheet.schema.job_run import run_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.source import JobSource
from mainsheet.schema.weight import weight

INPUT = weight(characters=2 * limits.ENTRIES.maximum * limits.ARGUMENT.maximum)  # two long lists
ENTRIES = weight(items=limits.ENTRIES.maximum)


def number(*, number: Annotated[int, described("The number of the version, from 1.")]) -> int:
    return number


def since(
    *,
    since: Annotated[
        int | None, described("The number of the version to compare with. Defaults to the version in `basedOn`.")
    ] = None,
) -> int | None:
    return since


@strawberry.type(description="A version of a job's configuration. A published version never changes.")
class JobVersion(Node, prefix=JobVersionRow.PREFIX):
    job = relation(job.by_ids, names.Job, "The job.", key="job_id")
    number: int = strawberry.field(
        description="The number of the version, from 1. The number of a discarded draft isn't used again."
    )
    status: JobVersionStatus = strawberry.field(description="The status of the version.")
    based_on = relation(
        job_version.bases,
        names.JobVersion | None,
        "The version that this one was copied from. Null for the first version.",
    )
    message: str | None = strawberry.field(
        description="The reason for the publication. Null for a draft, or if not set.",
        metadata=weight(characters=limits.MESSAGE.maximum),
    )
    revision: int = strawberry.field(
        description=(
            "The revision of the draft, which grows by one with each change and never repeats among the job's drafts."
            " Send it as `expectedDraftRevision` to detect concurrent changes."
        )
    )
    cluster = relation(cluster.by_ids, names.Cluster, "The cluster.", key="cluster_id", join="cluster")
    dependencies = relation(
        job_dependency.of_versions,
        list[JobDependency],
        (
            "The jobs that must finish before this job runs, in the order in which they were given, including"
            " those that you can't see or that were deleted."
        ),
        weight=ENTRIES,
    )
    max_retries: int = strawberry.field(description="How often a failed run is retried, 0 to 10.")
    retry_delay_seconds: int = strawberry.field(description="The delay before a retry in seconds.")
    timeout_seconds: int | None = strawberry.field(
        description=(
            "The maximum duration of a run in seconds. Workers enforce it; the server only stores it. Null"
            " for no limit."
        )
    )
    created_at: datetime = strawberry.field(description="When the version was created.")
    created_by = relation(actor.by_ids, names.Actor, "Who created the version.", key="created_by_id")
    updated_at: datetime = strawberry.field(
        description="When the configuration was last changed. Equals `createdAt` if the draft was never updated."
    )
    updated_by = relation(
        actor.by_ids, names.Actor, "Who last changed the configuration, or created the version.", key="updated_by_id"
    )
    published_at: datetime | None = strawberry.field(description="When the version was published. Null for a draft.")
    published_by = relation(
        actor.by_ids, names.Actor | None, "Who published the version. Null for a draft.", key="published_by_id"
    )
    runs = relation(
        job_run.of_versions,
        names.JobRunConnection,
        "The runs of the version, newest first.",
        arguments=run_list_arguments,
    )
    changes = relation(
        config_diff.of_versions,
        list[ConfigChange],
        "The differences from another version, ordered by path. For the first version, every value is added.",
        arguments=since,
        weight=CHANGES,
    )

    input = relation(
        job_config.visible_parts,
        JobConfig,
        (
            "The whole configuration, to be sent back: as `config` to `createJob`, or as `changes` to `createVersion`"
            " and `updateDraft`. Dependencies on jobs that you can't see or that were deleted are left out; changes"
            " keep them."
        ),
        weight=INPUT,
    )

    @strawberry.field(description="What the job runs.", graphql_type=JobSource, metadata=reads("source_kind"))
    def source(root: strawberry.Parent[Any]) -> Any:  # noqa: N805 the row is the parent
        return root

    @strawberry.field(
        description="The schedule. Null if the job is run manually only.",
        graphql_type=JobSchedule | None,
        metadata=reads(*SCHEDULE_COLUMNS),
    )
    def schedule(root: strawberry.Parent[Any]) -> Any:  # noqa: N805
        return schedule_of(root)

    @strawberry.field(description="The compute resources.", graphql_type=Compute, metadata=reads())
    def compute(root: strawberry.Parent[Any]) -> Any:  # noqa: N805
        return root

    @strawberry.field(
        description="The environment variables of a run, in the order in which they were given.",
        graphql_type=list[EnvironmentVariable],
        metadata=reads("environment") | ENTRIES,
    )
    def environment(root: strawberry.Parent[Any]) -> Iterable[Any]:  # noqa: N805
        return [EnvironmentVariable(**each) for each in root.environment]


@strawberry.type(description="A page of a list of versions.")
class JobVersionConnection(Connection[JobVersion]): ...
