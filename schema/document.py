"""Jobs as code: documents that refer to other objects by name or key, so that they fit any server."""

from enum import StrEnum

import strawberry
from strawberry import UNSET, Maybe

from mainsheet.models.job import JobStatus
from mainsheet.models.job_config import DependencyCondition
from mainsheet.resolvers import config_diff, job, job_version
from mainsheet.resolvers.commands.apply import ApplyOutcome
from mainsheet.schema import names
from mainsheet.schema.config_change import CHANGES, ConfigChange
from mainsheet.schema.config_input import (
    NAME,
    ComputeInput,
    EnvironmentVariableInput,
    JobScheduleInput,
    PythonFileSourceInput,
    PythonWheelSourceInput,
    SqlSnapshotSourceInput,
)
from mainsheet.schema.enums import describe
from mainsheet.schema.inputs import JOB_KEY, PROSE, REFUSED_ITEMS, TAGS, dry_run, idempotency_key
from mainsheet.schema.payloads import BatchPayload, Key
from mainsheet.schema.relation import relation
from mainsheet.schema.user_error import UserError


class ApplyMode(StrEnum):
    ALL_OR_NOTHING = "ALL_OR_NOTHING"
    EACH = "EACH"


describe(
    ApplyMode,
    "Whether documents are applied together or each by itself.",
    ALL_OR_NOTHING="One transaction. If one document is refused, nothing is changed.",
    EACH="Each document is a transaction of its own. Those that aren't refused are applied.",
)
describe(
    ApplyOutcome,
    "What applying a document did.",
    CREATED="The job was created.",
    CHANGED="The job was changed.",
    UNCHANGED="The job is already as the document says.",
    REFUSED="The document was refused, or another document in the same transaction was.",
)


@strawberry.input(one_of=True, description="What a job runs: exactly one of the fields.")
class SourceDocumentInput:
    saved_queries: Maybe[list[str]] = strawberry.field(
        description="The names of 1 to 50 saved queries, in the order in which they run."
    )
    sql_snapshot: Maybe[SqlSnapshotSourceInput] = strawberry.field(
        description="An SQL text that is stored in the version."
    )
    python_wheel: Maybe[PythonWheelSourceInput] = strawberry.field(description="A Python wheel.")
    python_file: Maybe[PythonFileSourceInput] = strawberry.field(description="A Python file.")


@strawberry.input(
    description=(
        "A dependency: another job that must finish before this job runs. Schedulers enforce it; the"
        " server only stores it."
    )
)
class DependencyDocumentInput:
    job_key: str = strawberry.field(description="The key of the other job. It may be that of another document.")
    condition: DependencyCondition = strawberry.field(
        default=DependencyCondition.ON_SUCCESS, description="How a run of the other job must end."
    )


@strawberry.input(description="The complete configuration of a job. An omitted field has its default.")
class ConfigDocumentInput:
    cluster: str = strawberry.field(description="The name of the cluster. It must be active, except for a draft.")
    source: SourceDocumentInput = strawberry.field(description="What the job runs.")
    schedule: Maybe[JobScheduleInput | None] = strawberry.field(
        description="The schedule. Omit or null for manual runs only."
    )
    dependencies: list[DependencyDocumentInput] = strawberry.field(
        default_factory=list,
        description="The dependencies, at most 100. Those on jobs that you can't see stay as they are.",
    )
    compute: Maybe[ComputeInput | None] = strawberry.field(
        description="The compute resources. Omit or null for the defaults."
    )
    environment: list[EnvironmentVariableInput] = strawberry.field(
        default_factory=list, description="The environment variables, at most 100."
    )
    max_retries: int = strawberry.field(default=0, description="How often a failed run is retried, 0 to 10.")
    retry_delay_seconds: int = strawberry.field(default=0, description="The delay before a retry in seconds, from 0.")
    timeout_seconds: Maybe[int | None] = strawberry.field(
        description=(
            "The maximum duration of a run in seconds, from 1. Workers enforce it; the server only stores it."
            " Omit or null for no limit."
        )
    )


@strawberry.input(description="A whole job as a document.")
class JobDocumentInput:
    job_key: str = strawberry.field(description=JOB_KEY)
    name: str = strawberry.field(description=NAME)
    description: str | None = strawberry.field(default=UNSET, description=f"{PROSE} Omit or null for none.")
    tags: list[str] = strawberry.field(default_factory=list, description=TAGS)
    status: JobStatus | None = strawberry.field(
        default=UNSET,
        description="Whether the schedule is active or paused. Omit or null to keep it; a new job is active.",
    )
    teams: list[str] = strawberry.field(
        description="The names of the teams that have access to the job, at least one. Other teams lose it."
    )
    config: ConfigDocumentInput = strawberry.field(description="The configuration.")


@strawberry.input(description="Jobs to create or change, each found by its key.")
class ApplyJobsInput:
    jobs: list[JobDocumentInput] = strawberry.field(
        description="The documents, 1 to 100. They are applied after those that they depend on."
    )
    mode: ApplyMode = strawberry.field(
        default=ApplyMode.ALL_OR_NOTHING, description="Whether the documents are applied together or each by itself."
    )
    publish: bool = strawberry.field(
        default=True,
        description=(
            "Whether to publish changed configurations. If false, they become drafts, nothing else of the"
            " jobs is changed, and documents of new jobs are refused."
        ),
    )
    message: str | None = strawberry.field(
        default=UNSET, description="The reason for the changes, kept in their events. At most 1023 characters."
    )
    dry_run: bool = dry_run()
    idempotency_key: str | None = idempotency_key(REFUSED_ITEMS)


@strawberry.type(description="The result of one document.")
class ApplyResult:
    job_id: Key = None
    version_id: Key = None
    event_ids: strawberry.Private[tuple[str, ...]] = ()
    job_key: str = strawberry.field(description="The key of the document.")
    outcome: ApplyOutcome = strawberry.field(description="What applying the document did.")
    job = relation(job.by_ids, names.Job | None, "The job. Null if the document was refused.", key="job_id")
    version = relation(
        job_version.by_ids,
        names.JobVersion | None,
        "The version with the document's configuration. Null if the document was refused.",
        key="version_id",
    )
    changes = relation(
        config_diff.of_event_lists,
        list[ConfigChange],
        "The changes that were applied or, in a dry run, would be applied.",
        key="event_ids",
        weight=CHANGES,
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            "The reasons why the document was refused. Empty if it was only refused because another document"
            " in the same transaction was."
        )
    )


@strawberry.type
class ApplyPayload(BatchPayload):
    results: list[ApplyResult] = strawberry.field(
        default_factory=list, description="The results, in the order of the documents."
    )
