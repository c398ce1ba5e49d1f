import strawberry

from mainsheet.models import limits
from mainsheet.models.saved_query import SavedQuery as SavedQueryRow
from mainsheet.schema.node import Node
from mainsheet.schema.page import Connection
from mainsheet.schema.weight import weight


@strawberry.type(description="SQL text shared by jobs, resolved when a job runs.")
class SavedQuery(Node, prefix=SavedQueryRow.PREFIX):
    name: str = strawberry.field(description="Its name.")
    text: str = strawberry.field(description="The SQL.", metadata=weight(characters=limits.SQL.maximum))


@strawberry.type(description="One page of a list of saved queries.")
class SavedQueryConnection(Connection[SavedQuery]): ...
