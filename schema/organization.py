import strawberry

from mainsheet.models import organization as models
from mainsheet.schema.actor import REVISION
from mainsheet.schema.node import Node


@strawberry.type(description="An organization: a tenant whose data is separate from all others.")
class Organization(Node, prefix=models.Organization.PREFIX):
    name: str = strawberry.field(description="The name.")
    revision: int = strawberry.field(description=REVISION)
