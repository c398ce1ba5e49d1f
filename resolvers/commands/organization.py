from typing import Any

from mainsheet.models.event import EventAction
from mainsheet.models.roles import AccessScope, OrganizationPermission
from mainsheet.resolvers.write import OrganizationAnswer, Write, command


@command("updateOrganization", AccessScope.ADMIN)
async def update(
    write: Write, *, expected_revision: int | None = None, message: str | None = None, **values: Any
) -> OrganizationAnswer:
    organization = await write.organization(OrganizationPermission.EDIT_ORGANIZATION)
    action = EventAction.ORGANIZATION_UPDATED
    organization.change(action, values, write, expected_revision=expected_revision, message=message)
    return {"organization_id": organization.id}
