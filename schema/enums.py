"""The models' enums, described for clients."""

from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from mainsheet.models.cluster import ClusterStatus
from mainsheet.models.config_diff import ChangeKind
from mainsheet.models.job import JobStatus
from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.job_event import JobAction
from mainsheet.models.job_run import JobRunStatus, RunTrigger
from mainsheet.models.job_version import VersionStatus
from mainsheet.models.roles import JobPermission, OrganizationRole, TeamRole
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy
from mainsheet.resolvers.job_list.lists import JobSortField
from mainsheet.resolvers.sql.pagination.listing import SortDirection

E = TypeVar("E", bound=Enum)


def describe(enum: type[E], description: str, **values: str) -> type[E]:
    """Make a GraphQL enum; every value needs its description.

    Its values become the enum's members: Strawberry leaves them as plain text where a document has them as literals.
    """
    described = strawberry.enum(enum, description=description)
    definition: StrawberryEnumDefinition = described.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
        value.value = enum[value.name]
    return described


describe(JobStatus, "Whether a job's schedule is on.", ACTIVE="The schedule fires.", PAUSED="The schedule is off.")
describe(
    VersionStatus,
    "Where a version is in its life.",
    DRAFT="Can be changed; a job has at most one.",
    PUBLISHED="Never changes again.",
)
describe(
    ClusterStatus,
    "Where a cluster is in its life.",
    PENDING="Asked for.",
    PROVISIONING="Being set up.",
    ACTIVE="Runs jobs.",
    FAILED="Couldn't be set up, or broke.",
    DESTROYED="Gone.",
)
describe(
    JobRunStatus,
    "Where a run is in its life.",
    PENDING="Waits for its dependencies.",
    READY="Waits for the cluster.",
    RUNNING="Executes.",
    SUCCEEDED="Ended well.",
    FAILED="Ended with an error.",
    CANCELLED="Was stopped.",
    SKIPPED="Didn't start, as its policies say.",
)
describe(RunTrigger, "What started a run.", MANUAL="A member.", SCHEDULE="The job's schedule.")
describe(
    DependencyCondition,
    "How the other job's run must end.",
    ON_SUCCESS="It succeeds.",
    ON_COMPLETION="It ends, however.",
    ON_FAILURE="It fails.",
)
describe(
    ExecutionMode,
    "How a run uses its cluster.",
    STANDALONE="One driver does all the work, without executors.",
    CLUSTER="A driver spreads the work over executors.",
)
describe(
    ConcurrencyPolicy,
    "What happens when the schedule fires while a run is under way.",
    SKIP="The new run is skipped.",
    ALLOW="Both run, up to `maxConcurrentRuns`.",
    REPLACE="The old run is cancelled.",
)
describe(
    MissedSchedulePolicy,
    "What happens to times that passed while the job couldn't run.",
    SKIP="They are forgotten.",
    RUN_ONCE="One run makes up for all of them.",
    RUN_ALL="Each of them is made up for.",
)
describe(
    JobPermission,
    "What a member may do with a job.",
    VIEW="See it.",
    EDIT="Edit drafts, publish, activate, update.",
    MANAGE_TEAMS="Share it with teams.",
    DELETE="Delete it.",
)
describe(
    TeamRole,
    "What a member may do with a team's jobs.",
    VIEWER="See them.",
    CONTRIBUTOR="See and edit them.",
    ADMIN="See, edit, share and delete them.",
)
describe(
    OrganizationRole,
    "What a member may do in the whole organization.",
    MEMBER="What the teams allow.",
    AUDITOR="See all jobs.",
    ADMIN="Do everything with all jobs.",
)
describe(
    JobAction,
    "What happened to a job.",
    JOB_CREATED="It was created with its first version.",
    JOB_UPDATED="Its name, description or status changed.",
    JOB_DELETED="It was deleted.",
    DRAFT_CREATED="A draft was begun.",
    DRAFT_UPDATED="The draft was edited.",
    DRAFT_DISCARDED="The draft was given up.",
    DRAFT_PUBLISHED="The draft became the current version.",
    VERSION_CREATED="A new version was published in one step.",
    VERSION_ACTIVATED="The current version was switched to an existing one.",
    TEAMS_ADDED="It was shared with more teams.",
    TEAM_REMOVED="A team lost access.",
)
describe(
    ChangeKind,
    "How a value differs.",
    ADDED="It wasn't there before.",
    CHANGED="It is another one.",
    REMOVED="It isn't there any more.",
)
describe(
    JobSortField,
    "What a list of jobs is sorted by. Ties are broken by id.",
    JOB_KEY="The job's key.",
    CREATED_AT="When the job was created.",
    UPDATED_AT="When the job was last changed.",
)
describe(SortDirection, "Which end comes first.", ASC="The smallest or oldest.", DESC="The largest or newest.")
