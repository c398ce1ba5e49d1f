import strawberry

from mainsheet.models import limits
from mainsheet.models.saved_query import SavedQuery as SavedQueryRow
from mainsheet.resolvers import job_list
from mainsheet.schema import names
from mainsheet.schema.connection import Connection
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation
from mainsheet.schema.weight import weight


@strawberry.type(description="An SQL text that several jobs can share. It is read when a job runs.")
class SavedQuery(Node, prefix=SavedQueryRow.PREFIX):
    name: str = strawberry.field(description="The name.")

    @strawberry.field(description="The SQL text.", metadata=reads("text") | weight(characters=limits.SQL.maximum))
    def sql(root: strawberry.Parent[SavedQueryRow]) -> str:  # noqa: N805 the row is the parent
        return root.text

    jobs = relation(
        job_list.of_saved_queries,
        names.JobConnection,
        "The visible jobs whose current version runs this query.",
        arguments=job_list_arguments,
    )


@strawberry.type(description="A page of a list of saved queries.")
class SavedQueryConnection(Connection[SavedQuery]): ...
