import strawberry

from mainsheet.models.service_account import ServiceAccount as ServiceAccountRow
from mainsheet.schema.actor import Actor
from mainsheet.schema.connection import Connection


@strawberry.type(description="A program in an organization, with roles and teams like a member.")
class ServiceAccount(Actor, prefix=ServiceAccountRow.PREFIX):
    name: str = strawberry.field(description="The name, unique among the organization's service accounts.")


@strawberry.type(description="A page of a list of service accounts.")
class ServiceAccountConnection(Connection[ServiceAccount]): ...
