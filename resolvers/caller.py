from dataclasses import dataclass
from typing import ClassVar

from mainsheet.models.roles import OrganizationRole


@dataclass(frozen=True)
class Caller:
    """The authenticated actor. All permissions of a request follow from these three values."""

    PREFIX: ClassVar[str] = "VR"

    actor_id: str
    organization_id: str
    organization_role: OrganizationRole

    @property
    def id(self) -> str:
        """The id of `me`. It differs between actors, so that a client's cache never mixes up their data."""
        return self.PREFIX + self.actor_id[len(self.PREFIX) :]
