from datetime import datetime

import strawberry

from mainsheet.models import limits
from mainsheet.models.saved_query import SavedQuery as SavedQueryRow
from mainsheet.resolvers import actor, job_list, job_version
from mainsheet.resolvers import team as teams
from mainsheet.schema import names
from mainsheet.schema.actor import REVISION
from mainsheet.schema.connection import Connection, page_arguments
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import relation
from mainsheet.schema.weight import weight

UNKNOWN = "Null if it was created before release 0.2.0"


@strawberry.type(
    description=(
        "An SQL text that several jobs can share. A run executes the text of the time at which a worker claims the run."
    )
)
class SavedQuery(Node, prefix=SavedQueryRow.PREFIX):
    name: str = strawberry.field(description="The name, unique within the organization.")
    sql: str = strawberry.field(description="The SQL text.", metadata=weight(characters=limits.SQL.maximum))
    team = relation(
        teams.by_ids,
        names.Team | None,
        "The team that may change the saved query. Null if only administrators may.",
        key="team_id",
    )
    revision: int = strawberry.field(description=REVISION)
    created_at: datetime | None = strawberry.field(description=f"When the saved query was created. {UNKNOWN}.")
    created_by = relation(
        actor.by_ids, names.Actor | None, f"Who created the saved query. {UNKNOWN}.", key="created_by_id"
    )
    updated_at: datetime | None = strawberry.field(
        description=f"When the saved query was last changed. {UNKNOWN} and not changed since."
    )
    updated_by = relation(
        actor.by_ids,
        names.Actor | None,
        f"Who last changed the saved query. {UNKNOWN} and not changed since.",
        key="updated_by_id",
    )
    jobs = relation(
        job_list.of_saved_queries,
        names.JobConnection,
        "The jobs that you can see and whose current version runs the saved query.",
        arguments=job_list_arguments,
    )
    versions = relation(
        job_version.of_saved_queries,
        names.JobVersionConnection,
        (
            "The versions that run the saved query, of jobs that you can see, with old versions and drafts,"
            " ordered by the time of their creation. As long as a version of any job runs it, the saved query"
            " can't be deleted."
        ),
        arguments=page_arguments,
    )


@strawberry.type(description="A page of a list of saved queries.")
class SavedQueryConnection(Connection[SavedQuery]): ...
