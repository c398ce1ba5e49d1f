import strawberry

from mainsheet.models.member import Member as MemberRow
from mainsheet.models.roles import TeamRole
from mainsheet.schema.actor import Actor
from mainsheet.schema.connection import Connection, Edge
from mainsheet.schema.relation import reads


@strawberry.type(description="A person in an organization.")
class Member(Actor, prefix=MemberRow.PREFIX):
    name: str = strawberry.field(description="The name of the person.")
    email: str = strawberry.field(description="The email address of the person, in lower case.")


@strawberry.type(description="A page of the organization's members.")
class MemberConnection(Connection[Member]): ...


@strawberry.type(description="A member of a team, with the role in it.")
class TeamMemberEdge(Edge[Member]):
    @strawberry.field(description="The role of the member in the team.", metadata=reads("node", "role"))
    def role(self) -> TeamRole:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the members of a team.")
class TeamMemberConnection(Connection[Member]):
    edges: list[TeamMemberEdge] = strawberry.field(description="The members of the page with their roles in the team.")  # type: ignore[assignment]  # narrows its items
