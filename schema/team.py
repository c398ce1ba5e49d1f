from datetime import datetime

import strawberry

from mainsheet.models.roles import TeamRole
from mainsheet.models.team import Team as TeamRow
from mainsheet.resolvers import member
from mainsheet.resolvers.job_list import lists
from mainsheet.schema import names
from mainsheet.schema.job_list import job_list
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection, Edge, page_only
from mainsheet.schema.relation import reads, relation


@strawberry.type(description="Members who share jobs.")
class Team(Node, prefix=TeamRow.PREFIX):
    name: str = strawberry.field(description="Its name.")
    description: str | None = strawberry.field(description="What it does. Null if nobody said.")
    members = relation(member.of_teams, names.MemberConnection, "Its members, by name.", arguments=page_only)
    jobs = relation(
        lists.of_teams, names.JobConnection, "The jobs shared with it that you may see.", arguments=job_list
    )


@strawberry.type(description="A team in a list.")
class TeamEdge(Edge[Team]):
    @strawberry.field(
        description="The role in the team: of the member whose list it is, in the organization's list yours."
        " Null if you aren't in the team.",
        metadata=reads("node", "role"),
    )
    def role(self) -> TeamRole | None:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="One page of a list of teams.")
class TeamConnection(Connection[Team]):
    edges: list[TeamEdge] = strawberry.field(description="The page's teams with the roles in them.")  # type: ignore[assignment]  # narrows its items


@strawberry.type(description="A team that a job is shared with.")
class JobTeamEdge(Edge[Team]):
    granted_by = relation(member.by_ids, names.Member, "Who shared the job with it.", key="node.granted_by_id")

    @strawberry.field(description="When the job was shared with it.", metadata=reads("node", "granted_at"))
    def granted_at(self) -> datetime:
        return self.node.granted_at  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="One page of the teams that a job is shared with.")
class JobTeamConnection(Connection[Team]):
    edges: list[JobTeamEdge] = strawberry.field(description="The page's teams with their grants.")  # type: ignore[assignment]  # narrows its items
