from dataclasses import dataclass
from typing import ClassVar

from mainsheet.models.roles import OrganizationRole


@dataclass(frozen=True)
class Caller:
    """Who asks: everything a request may see or do follows from these three."""

    PREFIX: ClassVar[str] = "VR"

    member_id: str
    organization_id: str
    organization_role: OrganizationRole

    @property
    def id(self) -> str:
        """Clients' caches keep what hangs on the caller under it: whoever signs in next isn't mixed up with them."""
        return self.PREFIX + self.member_id[len(self.PREFIX) :]
