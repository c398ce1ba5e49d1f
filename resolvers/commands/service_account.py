from typing import Any

from mainsheet.models.actor import ActorStatus
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.provisioning_errors import ActorNotFound
from mainsheet.models.roles import AccessScope, OrganizationPermission
from mainsheet.models.service_account import ServiceAccount
from mainsheet.resolvers.commands.provisioning import check_unique
from mainsheet.resolvers.write import ServiceAccountAnswer, Write, command


@command("createServiceAccount", AccessScope.ADMIN)
async def create(write: Write, *, message: str | None = None, **values: Any) -> ServiceAccountAnswer:
    await write.organization(OrganizationPermission.MANAGE_SERVICE_ACCOUNTS)
    await check_unique(write, ServiceAccount, values)
    account = ServiceAccount(
        id=new_id(ServiceAccount.PREFIX, write.at), organization_id=write.caller.organization_id, revision=1
    )
    account.status = ActorStatus.ACTIVE
    account.begin(EventAction.SERVICE_ACCOUNT_CREATED, values, write, message)
    write.session.add(account)
    return {"service_account_id": account.id}


@command("updateServiceAccount", AccessScope.ADMIN)
async def update(
    write: Write,
    *,
    service_account_id: str,
    expected_revision: int | None = None,
    message: str | None = None,
    **values: Any,
) -> ServiceAccountAnswer:
    account = await _account(write, service_account_id)
    await check_unique(write, ServiceAccount, values, service_account_id)
    account.change(
        EventAction.SERVICE_ACCOUNT_UPDATED, values, write, expected_revision=expected_revision, message=message
    )
    return {"service_account_id": service_account_id}


@command("disableServiceAccount", AccessScope.ADMIN)
async def disable(
    write: Write, *, service_account_id: str, expected_revision: int | None = None, message: str | None = None
) -> ServiceAccountAnswer:
    account, values = await _account(write, service_account_id), {"status": ActorStatus.DISABLED}
    account.change(
        EventAction.SERVICE_ACCOUNT_DISABLED, values, write, expected_revision=expected_revision, message=message
    )
    return {"service_account_id": service_account_id}


@command("enableServiceAccount", AccessScope.ADMIN)
async def enable(
    write: Write, *, service_account_id: str, expected_revision: int | None = None, message: str | None = None
) -> ServiceAccountAnswer:
    account, values = await _account(write, service_account_id), {"status": ActorStatus.ACTIVE}
    account.change(
        EventAction.SERVICE_ACCOUNT_ENABLED, values, write, expected_revision=expected_revision, message=message
    )
    return {"service_account_id": service_account_id}


async def _account(write: Write, account_id: str) -> ServiceAccount:
    await write.organization(OrganizationPermission.MANAGE_SERVICE_ACCOUNTS)
    missing = ActorNotFound(path=("service_account_id",), missing_id=account_id)
    return await write.own(ServiceAccount, account_id, missing)
