from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from mainsheet.models.roles import AccessScope, OrganizationRole


@dataclass(frozen=True)
class Caller:
    """The authenticated actor. All permissions of a request follow from these values.

    `scopes` are its token's. `token_expires_at` is None if the token doesn't expire; a JWT always does. `token_id` is
    for the log, and None for a JWT. `named_email` is the address by which a JWT names a member.
    """

    PREFIX: ClassVar[str] = "VR"

    actor_id: str
    organization_id: str
    organization_role: OrganizationRole
    scopes: frozenset[AccessScope] = frozenset(AccessScope)
    token_expires_at: datetime | None = None
    token_id: str | None = field(default=None, compare=False)
    named_email: str | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """The key by which limits and turns count the actor: the ids of the organization and of the actor."""
        return self.organization_id, self.actor_id

    @property
    def id(self) -> str:
        """The id of `me`. It differs between actors, so that a client's cache never mixes up their data."""
        return self.PREFIX + self.actor_id[len(self.PREFIX) :]
