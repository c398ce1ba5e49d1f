import strawberry

from mainsheet.models import organization as models
from mainsheet.schema.node import Node


@strawberry.type(description="The tenant: nothing crosses it.")
class Organization(Node, prefix=models.Organization.PREFIX):
    name: str = strawberry.field(description="Its name.")
