from typing import Any

import strawberry

from mainsheet.models.actor import ActorStatus
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers import job_list, team
from mainsheet.schema import names
from mainsheet.schema.connection import page_arguments
from mainsheet.schema.job_filter import job_list_arguments
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation

REVISION = (
    "The revision, which grows by one with each change. Send it as `expectedRevision` to detect concurrent changes."
)
EXTERNAL_ID = "The key of the object in the system that manages it. Null if it has none."
MANAGED_BY = "The name of the system that manages the object. Null if it is managed by hand."


@strawberry.interface(description="Who makes changes: a member or a service account.")
class Actor(Node):
    status: ActorStatus = strawberry.field(description="Whether the actor may use the API.")
    organization_role: OrganizationRole = strawberry.field(description="The actor's role in the organization.")
    revision: int = strawberry.field(description=REVISION)
    external_id: str | None = strawberry.field(description=EXTERNAL_ID)
    managed_by: str | None = strawberry.field(description=MANAGED_BY)
    teams = relation(
        team.of_actors,
        names.MemberTeamConnection,
        "The teams that the actor belongs to, ordered by name.",
        arguments=page_arguments,
    )
    jobs_created = relation(
        job_list.of_creators,
        names.JobConnection,
        "The jobs that you can see and that the actor created.",
        arguments=job_list_arguments,
    )

    @strawberry.field(description="The actor's name.", metadata=reads("name"))
    def display_name(root: strawberry.Parent[Any]) -> str:  # noqa: N805 the row is the parent
        return root.name  # type: ignore[no-any-return]  # of a row
