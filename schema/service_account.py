import strawberry

from mainsheet.models.roles import TeamRole
from mainsheet.models.service_account import ServiceAccount as ServiceAccountRow
from mainsheet.schema.actor import Actor
from mainsheet.schema.connection import Connection, Edge
from mainsheet.schema.relation import reads


@strawberry.type(description="A program in an organization, with roles and teams like a member.")
class ServiceAccount(Actor, prefix=ServiceAccountRow.PREFIX):
    name: str = strawberry.field(description="The name, unique among the organization's service accounts.")


@strawberry.type(description="A page of the organization's service accounts.")
class ServiceAccountConnection(Connection[ServiceAccount]): ...


@strawberry.type(description="A service account of a team, with the role in it.")
class TeamServiceAccountEdge(Edge[ServiceAccount]):
    @strawberry.field(description="The role of the service account in the team.", metadata=reads("node", "role"))
    def role(self) -> TeamRole:
        return self.node.role  # type: ignore[no-any-return,attr-defined]  # the row has it


@strawberry.type(description="A page of the service accounts of a team.")
class TeamServiceAccountConnection(Connection[ServiceAccount]):
    edges: list[TeamServiceAccountEdge] = strawberry.field(  # type: ignore[assignment]  # narrows its items
        description="The service accounts of the page with their roles in the team."
    )
