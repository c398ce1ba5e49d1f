from datetime import datetime
from typing import Any

import strawberry

from mainsheet.models.access_token import AccessToken as AccessTokenRow
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers import actor as actors
from mainsheet.schema import names
from mainsheet.schema.connection import Connection
from mainsheet.schema.node import Node
from mainsheet.schema.relation import reads, relation


@strawberry.type(description="A bearer token of a member or service account. Its secret is shown only once.")
class AccessToken(Node, prefix=AccessTokenRow.PREFIX):
    name: str | None = strawberry.field(
        description=(
            "What the token is for. Null if it was created on the command line without a name, or if the"
            " member was erased."
        )
    )
    actor = relation(
        actors.by_ids, names.Actor, "The member or service account that the token authenticates.", key="actor_id"
    )
    created_at: datetime = strawberry.field(description="When the token was created.")
    created_by = relation(
        actors.by_ids,
        names.Actor | None,
        "Who created the token. Null if it was created on the command line.",
        key="created_by_id",
    )
    expires_at: datetime | None = strawberry.field(description="When the token expires. Null if it doesn't.")
    last_used_at: datetime | None = strawberry.field(
        description="When the token was last used, to about a minute. Null if it never was."
    )
    revoked_at: datetime | None = strawberry.field(description="When the token was revoked. Null if it wasn't.")

    @strawberry.field(description="What the token may be used for.", metadata=reads("scopes"))
    def scopes(root: strawberry.Parent[Any]) -> list[AccessScope]:  # noqa: N805 the row is the parent
        return [AccessScope(each) for each in root.scopes]


@strawberry.type(description="A page of a list of access tokens.")
class AccessTokenConnection(Connection[AccessToken]): ...
