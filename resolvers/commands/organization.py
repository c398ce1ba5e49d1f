from typing import Any

from mainsheet.models.roles import AccessScope, OrganizationPermission
from mainsheet.resolvers.write import OrganizationAnswer, Write, command


@command("updateOrganization", AccessScope.ADMIN)
async def update(write: Write, *, message: str | None = None, **values: Any) -> OrganizationAnswer:
    organization = await write.organization(OrganizationPermission.EDIT_ORGANIZATION)
    write.explain(message)
    organization.update(values, write)
    return {"organization_id": organization.id}
