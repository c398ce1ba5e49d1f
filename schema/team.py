from datetime import datetime

import strawberry

from mainsheet.models.roles import TeamRole
from mainsheet.models.team import Team as TeamRow
from mainsheet.resolvers import actor, job_list, member
from mainsheet.schema import names
from mainsheet.schema.connection import Connection, Edge, page_arguments
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation


@strawberry.type(description="A team: members and service accounts who share jobs.")
class Team(Node, prefix=TeamRow.PREFIX):
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(description="A description for people. Null if not set.")
    members = relation(
        member.of_teams, names.MemberConnection, "The members of the team, ordered by name.", arguments=page_arguments
    )
    jobs = relation(
        job_list.of_teams,
        names.JobConnection,
        "The visible jobs that the team has access to.",
        arguments=job_list_arguments,
    )


@strawberry.type(description="A team of a list.")
class TeamEdge(Edge[Team]):
    @strawberry.field(
        description=(
            "The role in the team. In a member's list it is that member's role; in the organization's list it is "
            "yours, or null if you aren't a member of the team."
        ),
        metadata=reads("node", "role"),
    )
    def role(self) -> TeamRole | None:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of a list of teams.")
class TeamConnection(Connection[Team]):
    edges: list[TeamEdge] = strawberry.field(description="The teams of the page with the roles in them.")  # type: ignore[assignment]  # narrows its items


@strawberry.type(description="A team that has access to a job.")
class JobTeamEdge(Edge[Team]):
    granted_by = relation(actor.by_ids, names.Actor, "Who gave the team access.", key="node.granted_by_id")

    @strawberry.field(description="When the team was given access.", metadata=reads("node", "granted_at"))
    def granted_at(self) -> datetime:
        return self.node.granted_at  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the teams that have access to a job.")
class JobTeamConnection(Connection[Team]):
    edges: list[JobTeamEdge] = strawberry.field(description="The teams of the page with their grants.")  # type: ignore[assignment]  # narrows its items
