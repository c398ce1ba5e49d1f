from typing import Annotated, Any

import strawberry

from mainsheet.models import limits
from mainsheet.models.roles import OrganizationPermission
from mainsheet.resolvers import access_token as token_rows
from mainsheet.resolvers import actor as actor_rows
from mainsheet.resolvers import cluster as cluster_rows
from mainsheet.resolvers import event as event_rows
from mainsheet.resolvers import job as job_rows
from mainsheet.resolvers import job_list, job_run
from mainsheet.resolvers import node as node_rows
from mainsheet.resolvers import organization as organization_rows
from mainsheet.resolvers import saved_query as query_rows
from mainsheet.resolvers import team as team_rows
from mainsheet.resolvers import webhook as webhook_rows
from mainsheet.resolvers.actor import MEMBERS, SERVICE_ACCOUNTS
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.permissions import in_organization
from mainsheet.schema import names
from mainsheet.schema.conditions import entries
from mainsheet.schema.connection import described, page_arguments
from mainsheet.schema.event import feed_arguments
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.job_run import run_list_arguments
from mainsheet.schema.named_list import cluster_list_arguments, searched
from mainsheet.schema.node import Node
from mainsheet.schema.relation import lookup, reads, relation


def by_id(*, id: Annotated[strawberry.ID, described("The id of the object.")]) -> str:
    return id


def by_id_list(
    *, ids: Annotated[list[strawberry.ID], described("The ids of the objects, at most 100.")]
) -> tuple[str, ...]:
    return entries("ids", ids)


def by_job_key(*, job_key: Annotated[str, described("The key of the job.")]) -> str:
    return job_key


def by_external_id(
    *,
    external_id: Annotated[
        str, described("The key of the object in the system that manages it, as in its `externalId`.")
    ],
) -> str:
    return limits.NAME.form.normal(external_id)  # as it is stored


def lookup_by_id(batch: Any, graphql_type: Any, noun: str) -> Any:
    return lookup(batch, graphql_type | None, f"The {noun} with this id. Null if it doesn't exist.", by_id)


def lookup_by_external_id(batch: Any, graphql_type: Any, noun: str) -> Any:
    text = f"The {noun} with this external id. Null if it doesn't exist."
    return lookup(batch, graphql_type | None, text, by_external_id)


@strawberry.type(
    description=(
        "The caller of the API: you, with your jobs and teams. The `id` differs from that of your"
        " `actor`, which filters take."
    )
)
class Viewer(Node, prefix=Caller.PREFIX):
    actor = relation(actor_rows.by_ids, names.Actor, "You as a member or service account.", key="actor_id")
    organization = relation(organization_rows.by_ids, names.Organization, "Your organization.", key="organization_id")
    tokens = relation(
        token_rows.of_actors,
        names.AccessTokenConnection,
        "Your access tokens, oldest first. They include expired and revoked tokens until the server deletes them.",
        key="actor_id",
        arguments=page_arguments,
    )
    teams = relation(
        team_rows.of_actors,
        names.MemberTeamConnection,
        "Your teams, ordered by name.",
        key="actor_id",
        arguments=page_arguments,
    )
    jobs = relation(
        job_list.of_organizations,
        names.JobConnection,
        "The jobs that you can see.",
        key="organization_id",
        arguments=job_list_arguments,
    )
    runs = relation(
        job_run.of_organizations,
        names.JobRunConnection,
        "The runs of the jobs that you can see, newest first.",
        key="organization_id",
        arguments=run_list_arguments,
    )

    @strawberry.field(
        description=(
            "What your role in the organization allows you to do. The scopes of your token may allow less, and your"
            " roles in teams allow more."
        ),
        metadata=reads("organization_role"),
    )
    def permissions(root: strawberry.Parent[Caller]) -> list[OrganizationPermission]:  # noqa: N805 the caller is the parent
        return in_organization(root)


@strawberry.type(
    description=(
        "The queries. Objects that you can't see are treated as if they didn't exist. Everyone sees"
        " the teams, clusters, members, service accounts and saved queries of the organization. Roles"
        " decide who sees jobs, with their versions, runs and events, access tokens and webhooks."
    )
)
class Query:
    organization = relation(organization_rows.by_ids, names.Organization, "Your organization.", key="organization_id")
    node = lookup(
        node_rows.by_ids, Node | None, "The object with this id. Null if it doesn't exist or you can't see it.", by_id
    )
    nodes = lookup(
        node_rows.of_lists,
        list[Node | None],
        (
            "The objects with these ids, in the same order. An item is null if the object doesn't exist or you "
            "can't see it."
        ),
        by_id_list,
    )
    job = lookup(
        job_rows.by_ids,
        names.Job | None,
        "The job with this id. Null if it doesn't exist or you can't see it.",
        by_id,
    )
    job_by_key = lookup(
        job_rows.by_keys,
        names.Job | None,
        "The job with this key. Null if it doesn't exist or you can't see it.",
        by_job_key,
    )
    jobs = relation(
        job_list.of_organizations,
        names.JobConnection,
        "The jobs of the organization that you can see.",
        key="organization_id",
        arguments=job_list_arguments,
    )
    runs = relation(
        job_run.of_organizations,
        names.JobRunConnection,
        "The runs of the jobs that you can see, newest first.",
        key="organization_id",
        arguments=run_list_arguments,
    )
    events = relation(
        event_rows.of_organizations,
        names.EventConnection,
        (
            "The feed of the organization's events about objects that you can see, or could see when they"
            " were deleted, oldest first. New events come after all that could be read before, and the events"
            " of one object are in the order in which they occurred: to miss nothing, read on with `after:"
            " pageInfo.endCursor`. An event appears as soon as all older transactions have ended. If events"
            " after the cursor were deleted, because the server keeps them for a limited time, the request"
            " fails with the code `CURSOR_EXPIRED`."
        ),
        key="organization_id",
        arguments=feed_arguments,
    )
    team = lookup_by_id(team_rows.by_ids, names.Team, "team")
    team_by_external_id = lookup_by_external_id(team_rows.by_external_ids, names.Team, "team")
    teams = relation(
        team_rows.of_organizations,
        names.TeamConnection,
        "The teams of the organization, ordered by name.",
        key="organization_id",
        arguments=searched("name or description"),
    )
    cluster = lookup(
        cluster_rows.by_ids, names.Cluster | None, "The cluster with this id. Null if it doesn't exist.", by_id
    )
    cluster_by_external_id = lookup_by_external_id(cluster_rows.by_external_ids, names.Cluster, "cluster")
    clusters = relation(
        cluster_rows.of_organizations,
        names.ClusterConnection,
        "The clusters of the organization, ordered by name.",
        key="organization_id",
        arguments=cluster_list_arguments,
    )
    member = lookup_by_id(MEMBERS.by_ids, names.Member, "member")
    member_by_external_id = lookup_by_external_id(MEMBERS.by_external_ids, names.Member, "member")
    members = relation(
        MEMBERS.of_organizations,
        names.MemberConnection,
        "The members of the organization, ordered by name.",
        key="organization_id",
        arguments=searched("name or email address"),
    )
    access_tokens = relation(
        token_rows.of_organizations,
        names.AccessTokenConnection,
        (
            "The access tokens of the organization if you are an administrator, else your own, oldest first."
            " They include expired and revoked tokens until the server deletes them."
        ),
        key="organization_id",
        arguments=page_arguments,
    )
    service_account = lookup_by_id(SERVICE_ACCOUNTS.by_ids, names.ServiceAccount, "service account")
    service_account_by_external_id = lookup_by_external_id(
        SERVICE_ACCOUNTS.by_external_ids, names.ServiceAccount, "service account"
    )
    service_accounts = relation(
        SERVICE_ACCOUNTS.of_organizations,
        names.ServiceAccountConnection,
        "The service accounts of the organization, ordered by name.",
        key="organization_id",
        arguments=searched("name"),
    )
    saved_query = lookup_by_id(query_rows.by_ids, names.SavedQuery, "saved query")
    saved_queries = relation(
        query_rows.of_organizations,
        names.SavedQueryConnection,
        "The saved queries of the organization, ordered by name.",
        key="organization_id",
        arguments=searched("name"),
    )
    webhook = lookup(
        webhook_rows.by_ids,
        names.Webhook | None,
        "The webhook with this id, for administrators and auditors. Null if it doesn't exist.",
        by_id,
    )
    webhooks = relation(
        webhook_rows.of_organizations,
        names.WebhookConnection,
        "The webhooks of the organization, oldest first. Empty unless you are an administrator or auditor.",
        key="organization_id",
        arguments=page_arguments,
    )

    @strawberry.field(description="The caller of the API.", graphql_type=Viewer)
    def me(root: strawberry.Parent[Caller]) -> Any:  # noqa: N805 the caller is the root
        return root
