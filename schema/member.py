import strawberry

from mainsheet.models.member import Member as MemberRow
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.resolvers import team
from mainsheet.schema import names
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection, Edge, page_only
from mainsheet.schema.relation import reads, relation


@strawberry.type(description="A person's place in an organization.")
class Member(Node, prefix=MemberRow.PREFIX):
    name: str = strawberry.field(description="The person's name.")
    email: str = strawberry.field(description="The person's email address, in lower case.")
    organization_role: OrganizationRole = strawberry.field(description="The member's rights in the organization.")
    teams = relation(team.of_members, names.TeamConnection, "The member's teams, by name.", arguments=page_only)


@strawberry.type(description="A member in a team's list.")
class MemberEdge(Edge[Member]):
    @strawberry.field(description="The member's role in the team.", metadata=reads("node", "role"))
    def role(self) -> TeamRole:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="One page of a list of members.")
class MemberConnection(Connection[Member]):
    edges: list[MemberEdge] = strawberry.field(description="The page's members with their roles.")  # type: ignore[assignment]  # narrows its items
