from datetime import datetime

import strawberry

from mainsheet.models.roles import TeamPermission, TeamRole
from mainsheet.models.team import Team as TeamRow
from mainsheet.resolvers import actor, job_list, permissions
from mainsheet.resolvers.actor import MEMBERS, SERVICE_ACCOUNTS
from mainsheet.schema import names
from mainsheet.schema.actor import EXTERNAL_ID, MANAGED_BY, REVISION
from mainsheet.schema.connection import Connection, Edge, page_arguments
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation


@strawberry.type(description="Members and service accounts who share jobs.")
class Team(Node, prefix=TeamRow.PREFIX):
    name: str = strawberry.field(description="The name, unique within the organization.")
    description: str | None = strawberry.field(description="A description for people. Null if not set.")
    revision: int = strawberry.field(description=REVISION)
    external_id: str | None = strawberry.field(description=EXTERNAL_ID)
    managed_by: str | None = strawberry.field(description=MANAGED_BY)
    members = relation(
        MEMBERS.of_teams,
        names.TeamMemberConnection,
        "The members of the team, ordered by name.",
        arguments=page_arguments,
    )
    service_accounts = relation(
        SERVICE_ACCOUNTS.of_teams,
        names.TeamServiceAccountConnection,
        "The service accounts of the team, ordered by name.",
        arguments=page_arguments,
    )
    jobs = relation(
        job_list.of_teams,
        names.JobConnection,
        "The jobs that you can see and to which the team has access.",
        arguments=job_list_arguments,
    )
    viewer_permissions = relation(
        permissions.of_teams,
        list[TeamPermission],
        "What your roles allow you to do with the team. The scopes of your token may allow less.",
    )


@strawberry.type(description="A team of the organization, with your role in it.")
class TeamEdge(Edge[Team]):
    @strawberry.field(
        description="Your role in the team. Null if you don't belong to it.", metadata=reads("node", "role")
    )
    def viewer_role(self) -> TeamRole | None:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the organization's teams.")
class TeamConnection(Connection[Team]):
    edges: list[TeamEdge] = strawberry.field(description="The teams of the page with your roles in them.")  # type: ignore[assignment]  # narrows its items


@strawberry.type(description="A team of a member or service account, with the role in it.")
class MemberTeamEdge(Edge[Team]):
    @strawberry.field(
        description="The role of the member or service account in the team.", metadata=reads("node", "role")
    )
    def role(self) -> TeamRole:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the teams of a member or service account.")
class MemberTeamConnection(Connection[Team]):
    edges: list[MemberTeamEdge] = strawberry.field(description="The teams of the page with the roles in them.")  # type: ignore[assignment]  # narrows its items


@strawberry.type(description="A team that has access to a job.")
class JobTeamEdge(Edge[Team]):
    granted_by = relation(actor.by_ids, names.Actor, "Who gave the team access.", key="node.granted_by_id")

    @strawberry.field(description="When the team was given access.", metadata=reads("node", "granted_at"))
    def granted_at(self) -> datetime:
        return self.node.granted_at  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the teams that have access to a job.")
class JobTeamConnection(Connection[Team]):
    edges: list[JobTeamEdge] = strawberry.field(
        description="The teams of the page, with the time of the access and who gave it."
    )  # type: ignore[assignment]  # narrows its items
