"""The payloads of mutations. Ids in a command's answer are shown as the rows of the snapshot after it.

The private fields are the keys of the answer. A payload raises an error for a key that it doesn't declare. Each
mutation has a payload type of its own, so that it can get a field that others don't have: `payload_type` makes it from
one of the classes here.
"""

from typing import Any

import strawberry

from mainsheet.resolvers import access_token as access_tokens
from mainsheet.resolvers import cluster as clusters
from mainsheet.resolvers import job, job_version, organization
from mainsheet.resolvers import saved_query as saved_queries
from mainsheet.resolvers import team as teams
from mainsheet.resolvers.actor import MEMBERS, SERVICE_ACCOUNTS
from mainsheet.schema import names
from mainsheet.schema.job_run import JobRun
from mainsheet.schema.relation import relation
from mainsheet.schema.user_error import UserError

Key = strawberry.Private[str | None]


def _job() -> Any:
    return relation(
        job.by_ids,
        names.Job | None,
        "The job in its present state. Null if it doesn't exist or you can't see it.",
        key="job_id",
    )


@strawberry.type
class Payload:
    user_errors: list[UserError] = strawberry.field(
        description="The reasons why the mutation was refused. If the list isn't empty, nothing was changed."
    )


@strawberry.type
class BatchPayload(Payload):
    user_errors: list[UserError] = strawberry.field(
        description=(
            "The reasons why the whole list was refused. If the list isn't empty, nothing was changed. The reasons why"
            " single items were refused are in `results`."
        )
    )


@strawberry.type
class JobPayload(Payload):
    job_id: Key = None
    job = _job()


@strawberry.type(description="The result of the changes to one job.")
class UpdateJobsResult:
    job_id: Key = None
    job = _job()
    user_errors: list[UserError] = strawberry.field(
        description="The reasons why the item was refused. If the list isn't empty, nothing was changed for it."
    )


@strawberry.type
class UpdatedJobsPayload(BatchPayload):
    results: list[UpdateJobsResult] = strawberry.field(
        default_factory=list, description="The results, in the order of the items."
    )


@strawberry.type
class ClonedJobPayload(Payload):
    cloned_job_id: Key = None
    job = relation(job.by_ids, names.Job | None, "The new job. Null if the mutation was refused.", key="cloned_job_id")


@strawberry.type
class DeletedJobPayload(Payload):
    deleted_job_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted job. Null if the mutation was refused."
    )
    cancelled_runs: list[JobRun] = strawberry.field(
        default_factory=list,
        description="The runs that were cancelled, in their final state. They were deleted with the job.",
    )


@strawberry.type
class DraftPayload(Payload):
    job_id: Key = None
    draft = relation(
        job_version.drafts,
        names.JobVersion | None,
        "The draft in its present state. Null if the job has no draft.",
        key="job_id",
    )
    job = _job()


@strawberry.type
class DiscardedDraftPayload(Payload):
    job_id: Key = None
    job = _job()
    discarded_number: int | None = strawberry.field(
        default=None,
        description="The number of the discarded draft, which isn't used again. Null if the mutation was refused.",
    )


@strawberry.type
class VersionPayload(Payload):
    job_id: Key = None
    version_id: Key = None
    version = relation(
        job_version.by_ids,
        names.JobVersion | None,
        "The version that is current after the mutation. Null if the mutation was refused.",
        key="version_id",
    )
    job = _job()


@strawberry.type
class OrganizationPayload(Payload):
    organization_id: Key = None
    organization = relation(
        organization.by_ids,
        names.Organization | None,
        "The organization in its present state. Null if the mutation was refused.",
        key="organization_id",
    )


def entity(batch: Any, graphql_type: Any, noun: str, key: str) -> Any:
    text = f"The {noun} in its present state. Null if it doesn't exist or wasn't created."
    return relation(batch, graphql_type | None, text, key=key)


@strawberry.type
class TeamPayload(Payload):
    team_id: Key = None
    team = entity(teams.by_ids, names.Team, "team", "team_id")


@strawberry.type
class MemberPayload(Payload):
    member_id: Key = None
    member = entity(MEMBERS.by_ids, names.Member, "member", "member_id")


@strawberry.type
class ServiceAccountPayload(Payload):
    service_account_id: Key = None
    service_account = entity(SERVICE_ACCOUNTS.by_ids, names.ServiceAccount, "service account", "service_account_id")


@strawberry.type
class ClusterPayload(Payload):
    cluster_id: Key = None
    cluster = entity(clusters.by_ids, names.Cluster, "cluster", "cluster_id")


@strawberry.type
class SavedQueryPayload(Payload):
    saved_query_id: Key = None
    saved_query = entity(saved_queries.by_ids, names.SavedQuery, "saved query", "saved_query_id")


@strawberry.type
class AccessTokenPayload(Payload):
    access_token_id: Key = None
    token = entity(access_tokens.by_ids, names.AccessToken, "token", "access_token_id")


@strawberry.type
class NewAccessTokenPayload(AccessTokenPayload):
    secret: str | None = strawberry.field(
        default=None,
        description=(
            "The secret to send as a bearer token. It is shown only here. Null if the mutation was refused, or if the"
            " `idempotencyKey` was used before."
        ),
    )


def deleted(noun: str) -> Any:
    text = f"The id of the deleted {noun}. Null if the mutation was refused."
    return strawberry.field(default=None, description=text)


@strawberry.type
class DeletedTeamPayload(Payload):
    deleted_team_id: strawberry.ID | None = deleted("team")


@strawberry.type
class DeletedClusterPayload(Payload):
    deleted_cluster_id: strawberry.ID | None = deleted("cluster")


@strawberry.type
class DeletedSavedQueryPayload(Payload):
    deleted_saved_query_id: strawberry.ID | None = deleted("saved query")


def payload_type(payload: type[Payload], mutation: str) -> Any:  # its values are rows, not GraphQL objects
    """Make a mutation's payload type, such as `CreateJobPayload` for `createJob`, with the fields of `payload`."""
    own = type(f"{mutation[0].upper()}{mutation[1:]}Payload", (payload,), {"__module__": __name__})
    return strawberry.type(own, description=f"The result of `{mutation}`.")
