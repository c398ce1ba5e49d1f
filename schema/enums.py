"""The models' enums, described for clients."""

from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from mainsheet.models.actor import ActorStatus
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.config_diff import ChangeKind
from mainsheet.models.event import EventAction
from mainsheet.models.job import JobStatus
from mainsheet.models.job_config import DependencyCondition, ExecutionMode
from mainsheet.models.job_run import JobRunStatus, JobRunTrigger, RunReportState
from mainsheet.models.job_version import JobVersionStatus
from mainsheet.models.roles import (
    AccessScope,
    JobPermission,
    OrganizationPermission,
    OrganizationRole,
    TeamPermission,
    TeamRole,
)
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy
from mainsheet.models.source import SourceKind
from mainsheet.models.webhook_delivery import WebhookDeliveryStatus
from mainsheet.resolvers.job_list import JobSortField
from mainsheet.resolvers.sql.pagination.page_arguments import SortDirection

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


describe(
    JobStatus,
    "Whether a job's schedule is active.",
    ACTIVE="The schedule is active.",
    PAUSED="The schedule is paused. The job can still be run manually.",
)
describe(
    JobVersionStatus,
    "The status of a version.",
    DRAFT="The version can be changed. A job has at most one draft.",
    PUBLISHED="The version never changes again.",
)
describe(
    ClusterStatus,
    "The status of a cluster.",
    PENDING="The cluster was requested.",
    PROVISIONING="The cluster is being set up.",
    ACTIVE="The cluster can run jobs.",
    FAILED="The cluster couldn't be set up, or stopped working.",
    DESTROYED="The cluster no longer exists.",
)
describe(
    JobRunStatus,
    "The status of a run.",
    PENDING="The run is held: no worker can claim it until `releaseRun` makes it ready.",
    READY="A worker can claim the run, from the time in `availableAt` on.",
    RUNNING="The run is executing.",
    SUCCEEDED="The run succeeded.",
    FAILED="The run failed.",
    CANCELLED="The run was cancelled.",
    SKIPPED="The scheduler or the worker skipped the run.",
)
describe(
    RunReportState,
    "What a worker reports about a run.",
    RUNNING="The run is executing. This renews the lease.",
    SUCCEEDED="The run succeeded.",
    FAILED=(
        "The run failed. It is tried again if the version has retries left, unless `error.isRetryable` is"
        " false or the run's cancellation was requested."
    ),
    CANCELLED="The run was cancelled.",
    SKIPPED="The worker skipped the run.",
)
describe(
    JobRunTrigger,
    "What triggered a run.",
    MANUAL="A member or service account created the run by `triggerRun`.",
    SCHEDULE="A scheduler created the run by `createScheduledRuns`.",
)
describe(
    DependencyCondition,
    "How a run of the other job must end. Schedulers enforce it; the server only stores the condition.",
    ON_SUCCESS="The run succeeded.",
    ON_COMPLETION="The run finished, with any result.",
    ON_FAILURE="The run failed.",
)
describe(
    ExecutionMode,
    "How a run uses the cluster.",
    STANDALONE="A single driver does all the work, without executors.",
    CLUSTER="A driver distributes the work to executors.",
)
describe(
    ConcurrencyPolicy,
    (
        "What happens when the schedule fires while a run is still active. Schedulers apply the policy;"
        " the server only stores it."
    ),
    SKIP="The new run is skipped.",
    ALLOW="The new run starts too, up to `maxConcurrentRuns` at once.",
    REPLACE="The active run is cancelled, and the new run starts.",
)
describe(
    MissedSchedulePolicy,
    (
        "What happens to fire times that passed while the job couldn't run. Schedulers apply the policy;"
        " the server only stores it."
    ),
    SKIP="Missed times are skipped.",
    RUN_ONCE="One run is created for all missed times.",
    RUN_ALL="Each missed time gets a run.",
)
describe(
    JobPermission,
    "A permission on a job.",
    VIEW="See the job.",
    EDIT="Update the job; create, change, publish and discard drafts; activate versions.",
    RUN="Trigger, release and cancel runs. Schedulers and workers need it, too, to create, claim and report on runs.",
    MANAGE_TEAMS="Give teams access to the job, and remove it.",
    DELETE="Delete the job and its finished runs.",
)
describe(
    TeamPermission,
    "A permission on a team.",
    SHARE_JOBS="Give the team access to jobs on which you have the permission MANAGE_TEAMS.",
    CREATE_JOBS="Create jobs to which the team has access.",
    EDIT_SAVED_QUERIES=(
        "Create, change and delete the team's saved queries. To change or delete one, you also need EDIT on each job"
        " whose current version runs it."
    ),
    EDIT="Change the team's name and description.",
    MANAGE_MEMBERS="Add and remove members and service accounts, and change their roles in the team.",
    DELETE="Delete the team.",
)
describe(
    OrganizationPermission,
    "A permission in the organization.",
    VIEW_ALL_JOBS="See all jobs.",
    MANAGE_ALL_JOBS="Have every permission on all jobs.",
    EDIT_ORGANIZATION="Change the organization.",
    MANAGE_MEMBERS="Create, change, disable and erase members.",
    MANAGE_SERVICE_ACCOUNTS="Create, change and disable service accounts, and create tokens for them.",
    MANAGE_TOKENS="See and revoke the tokens of all members and service accounts.",
    MANAGE_TEAMS="Create and delete teams, and have every permission on all teams.",
    MANAGE_CLUSTERS="Create, change and delete clusters.",
    MANAGE_WEBHOOKS="Create, change and delete webhooks.",
)
describe(
    TeamRole,
    "The role of a member or service account in a team.",
    VIEWER="Can see the team's jobs.",
    CONTRIBUTOR="Can see, create, change and run the team's jobs, and change its saved queries.",
    ADMIN=(
        "Has the rights of a contributor. Can also delete the team's jobs, give other teams access to"
        " them, and change the team and its members."
    ),
)
describe(
    AccessScope,
    "What a token may be used for. A request needs a scope of the token and a role of its actor that allow it.",
    READ=(
        "Queries and subscriptions. The payload of a mutation can be read without it, unless the mutation was refused."
    ),
    WRITE="Changes of jobs, runs and saved queries, of teams in which you have the role ADMIN, and of your own tokens.",
    RUNS=(
        "For schedulers, the programs that create the runs of schedules, and workers, the programs that"
        " execute runs: `createScheduledRuns`, `claimRuns`, `reportRuns`, `releaseRun` and `cancelRun`."
    ),
    ADMIN="Changes of the organization and its members, service accounts, teams, clusters and webhooks. Administrators"
    " need it also to change a team, or its saved queries, without a role in the team.",
)
describe(
    ActorStatus,
    "Whether a member or service account may use the API.",
    ACTIVE="Its tokens work.",
    DISABLED="Its tokens are refused. It keeps its roles and teams, and what it did stays under its name.",
)
describe(
    OrganizationRole,
    "The role of a member or service account in the organization.",
    MEMBER="Has the permissions that its roles in teams give.",
    AUDITOR="Can see all jobs and webhooks.",
    ADMIN="Has every permission on all jobs and teams, and manages the organization.",
)
describe(
    EventAction,
    "The kind of an event.",
    JOB_CREATED="The job and its first version were created.",
    JOB_UPDATED="The name, description, tags or status of the job was changed.",
    JOB_DELETED="The job was deleted.",
    DRAFT_CREATED="A draft was created.",
    DRAFT_UPDATED="The draft was changed.",
    DRAFT_DISCARDED="The draft was discarded.",
    DRAFT_PUBLISHED="The draft was published and became the current version.",
    VERSION_CREATED="A new version was created and published in one step.",
    VERSION_ACTIVATED="An existing version became the current version.",
    TEAMS_ADDED_TO_JOB="Teams were given access to the job.",
    TEAM_REMOVED_FROM_JOB="A team lost access to the job.",
    RUN_TRIGGERED="A run was created, by `triggerRun` or for a time of the schedule.",
    RUN_RELEASED="A pending run became ready.",
    RUN_STARTED="A worker claimed a run.",
    RUN_RETRIED="An attempt failed, or its lease expired, and the run became ready again.",
    RUN_CANCEL_REQUESTED="The cancellation of a run was requested.",
    RUN_FINISHED="A run finished, with any result.",
    RUN_DELETED="A run was deleted.",
    ORGANIZATION_UPDATED="The organization was renamed.",
    TEAM_CREATED="A team was created.",
    TEAM_UPDATED="The team was changed.",
    TEAM_DELETED="The team was deleted.",
    TEAM_ROLE_SET="A member or service account joined the team, or got another role in it.",
    TEAM_ROLE_REMOVED="A member or service account was removed from the team.",
    CLUSTER_CREATED="A cluster was created.",
    CLUSTER_UPDATED="The cluster was changed.",
    CLUSTER_DELETED="The cluster was deleted.",
    SAVED_QUERY_CREATED="A saved query was created.",
    SAVED_QUERY_UPDATED="The saved query was changed.",
    SAVED_QUERY_DELETED="The saved query was deleted.",
    MEMBER_CREATED="A member was created.",
    MEMBER_UPDATED="The member was changed.",
    MEMBER_DISABLED="The member was disabled.",
    MEMBER_ENABLED="The member was enabled.",
    SERVICE_ACCOUNT_CREATED="A service account was created.",
    SERVICE_ACCOUNT_UPDATED="The service account was changed.",
    SERVICE_ACCOUNT_DISABLED="The service account was disabled.",
    SERVICE_ACCOUNT_ENABLED="The service account was enabled.",
    TOKEN_CREATED="An access token was created.",  # noqa: S106 a description
    TOKEN_REVOKED="The access token was revoked.",  # noqa: S106 a description
    MEMBER_ERASED="The member was erased.",
    WEBHOOK_CREATED="A webhook was created.",
    WEBHOOK_UPDATED="The webhook was changed.",
    WEBHOOK_DELETED="The webhook was deleted.",
    WEBHOOK_DISABLED="The server disabled the webhook. The message gives the reason.",
    WEBHOOK_SECRET_ROTATED="The webhook got a new secret.",  # noqa: S106 a description
    WEBHOOK_TESTED="A test of the webhook was requested.",
    WEBHOOK_REDELIVERED="Deliveries of the webhook were requested again.",
)
describe(
    WebhookDeliveryStatus,
    "The status of a delivery.",
    PENDING="The event will be sent, or sent again after a failed attempt.",
    SUCCEEDED="The receiver answered with a status of 200 to 299.",
    FAILED="The server gave up. `redeliverWebhook` sends the event again.",
)
describe(
    ChangeKind,
    "How a value changed.",
    ADDED="The value was added.",
    CHANGED="The value was replaced.",
    REMOVED="The value was removed.",
)
describe(
    JobSortField,
    "The field to sort a list of jobs by. Jobs with equal values are sorted by id.",
    JOB_KEY="The key of the job.",
    NAME="The name of the job, by code points: upper-case letters come before lower-case letters.",
    CREATED_AT="The time when the job was created.",
    UPDATED_AT="The time when the job was last changed. Updates of its draft don't count.",
    LATEST_RUN_AT="The time when the latest run was created. Jobs without runs count as the oldest.",
)
describe(
    SourceKind,
    "The kind of a version's source.",
    SAVED_QUERIES="Saved queries, run one after the other.",
    SQL_SNAPSHOT="An SQL text that is stored in the version.",
    PYTHON_WHEEL="An entry point of a Python wheel.",
    PYTHON_FILE="A Python file.",
)
describe(
    SortDirection,
    (
        "The direction in which a list is sorted. Texts are compared by code points: upper-case letters"
        " come before lower-case letters. Items with equal values are sorted by id."
    ),
    ASC="Ascending: the smallest or oldest item first.",
    DESC="Descending: the largest or newest item first.",
)
