from dataclasses import dataclass

from models.roles import OrganizationRole


@dataclass(frozen=True)
class Caller:
    """Who asks: everything a request may see or do follows from these three."""

    member_id: str
    organization_id: str
    organization_role: OrganizationRole
