from collections.abc import Sequence
from datetime import datetime, timedelta
from types import EllipsisType

from sqlalchemy import Select, func, select, union_all

from mainsheet.models import limits
from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor, ActorKind, ActorStatus
from mainsheet.models.errors import Forbidden, Invalid
from mainsheet.models.event import EventAction
from mainsheet.models.input_values import value_problems
from mainsheet.models.organization import Organization
from mainsheet.models.provisioning_errors import ActorDisabled, QuotaExceeded, ScopeMissing, TokenNotFound
from mainsheet.models.roles import AccessScope, OrganizationPermission, OrganizationRole
from mainsheet.resolvers.commands.provisioning import actor, require_scope
from mainsheet.resolvers.permissions import may
from mainsheet.resolvers.write import AccessTokenAnswer, NewAccessTokenAnswer, Write, command

DEFAULT_SECONDS = 90 * 86_400
OTHERS = "You can create a token for yourself or, as an administrator, for a service account."
TOO_MANY = "Revoke some of them first."
LIVES_LONGER = "The token would live longer than the one that you use. Choose a shorter `expiresInSeconds`."


@command("createAccessToken", AccessScope.WRITE)
async def create(
    write: Write,
    *,
    name: str,
    scopes: Sequence[AccessScope],
    actor_id: str | None = None,
    expires_in_seconds: int | EllipsisType | None = ...,
    message: str | None = None,
) -> NewAccessTokenAnswer:
    """Create a token. Its secret is part of this answer only, so it can't be replayed."""
    await write.lock(Organization, write.caller.organization_id)  # so that quotas hold
    owner = await write.own(Actor, write.caller.actor_id, TokenNotFound(missing_id=""))
    if actor_id is not None and actor_id != owner.id:
        owner = await _service_account(write, actor_id)
    write.explain(message)
    _check_values(write, name, scopes, expires_in_seconds)
    write.refuse()
    _check_scopes(write, scopes)
    expires_at = _expiry(write, expires_in_seconds)
    write.refuse()
    await _check_quotas(write, owner)
    token, secret = AccessToken.issue(
        owner.organization_id,
        owner.id,
        write.at,
        expires_at=expires_at,
        name=name,
        scopes=set(scopes),
        created_by_id=write.actor_id,
    )
    write.session.add(token)
    write.record(EventAction.TOKEN_CREATED, token, name, only_for_id=owner.id)
    return {"access_token_id": token.id, "secret": secret}


@command("revokeAccessToken", AccessScope.WRITE)
async def revoke(write: Write, *, access_token_id: str, message: str | None = None) -> AccessTokenAnswer:
    """Revoke a token of one's own or, as an administrator, any. Revoking again changes nothing."""
    missing = TokenNotFound(missing_id=access_token_id)
    token = await write.own(AccessToken, access_token_id, missing)
    if token.actor_id != write.caller.actor_id:
        if not may(write.caller, OrganizationPermission.MANAGE_TOKENS):
            raise missing
        require_scope(write, AccessScope.ADMIN)
    write.explain(message)
    write.refuse()
    if token.revoked_at is None:
        token.revoked_at = write.at
        write.record(EventAction.TOKEN_REVOKED, token, token.name or token.id, only_for_id=token.actor_id)
    return {"access_token_id": token.id}


async def _service_account(write: Write, actor_id: str) -> Actor:
    owner = await actor(write, actor_id)
    write.require(OrganizationPermission.MANAGE_SERVICE_ACCOUNTS)
    require_scope(write, AccessScope.ADMIN)
    if owner.kind is not ActorKind.SERVICE_ACCOUNT:
        raise Invalid(path=("actor_id",), reason=OTHERS)
    if owner.status is ActorStatus.DISABLED:
        raise ActorDisabled(name=owner.name)
    return owner


def _check_values(write: Write, name: str, scopes: Sequence[AccessScope], seconds: int | EllipsisType | None) -> None:
    write.problems += value_problems({"name": name})
    write.problems += limits.SCOPES.check(len(scopes), ("scopes",))
    if isinstance(seconds, int):
        write.problems += limits.TOKEN_SECONDS.check(seconds, ("expires_in_seconds",))


async def _check_quotas(write: Write, owner: Actor) -> None:
    """Raise `QuotaExceeded` if the owner or the organization has too many tokens that are valid."""
    of_all, of_owner = (await write.session.execute(counts_of_valid(owner, write.at))).one()
    for whose, count, quota in (
        (owner.name, of_owner, limits.TOKENS_OF_ACTOR),
        ("The organization", of_all, limits.TOKENS_OF_ORGANIZATION),
    ):
        if count >= quota:
            raise QuotaExceeded(quota=quota, owner=whose, nouns="valid access tokens", advice=TOO_MANY)


def counts_of_valid(owner: Actor, at: datetime) -> Select[int, int]:
    """Select the numbers of valid tokens: the organization's and the owner's.

    The two kinds are two ranges of one index, so that revoked and expired tokens aren't read, however many there are.
    """
    kept = select(AccessToken.actor_id).where(
        AccessToken.organization_id == owner.organization_id, AccessToken.revoked_at.is_(None)
    )
    endless, others = kept.where(AccessToken.expires_at.is_(None)), kept.where(AccessToken.expires_at > at)
    valid = union_all(endless, others).subquery()
    return select(func.count(), func.count().filter(valid.c.actor_id == owner.id)).select_from(valid)


def _check_scopes(write: Write, scopes: Sequence[AccessScope]) -> None:
    for index, scope in enumerate(scopes):
        if scope not in write.caller.scopes:
            reason = f"Your token lacks the scope {scope}, so you can't give it to another one."
            path = ("scopes", str(index))
            write.problems.append(ScopeMissing(path=path, missing_scope=scope, reason=reason))


def _expiry(write: Write, seconds: int | EllipsisType | None) -> datetime | None:
    """Return when the token expires. Adds a problem if that is later than allowed. `...` means that it is omitted."""
    most = write.caller.token_expires_at
    if isinstance(seconds, EllipsisType):
        default = write.at + timedelta(seconds=DEFAULT_SECONDS)
        return default if most is None else min(most, default)
    if seconds is None and write.caller.organization_role is not OrganizationRole.ADMIN:
        missing = OrganizationRole.ADMIN
        write.problems.append(Forbidden(path=("expires_in_seconds",), missing_organization_role=missing))
    expires_at = None if seconds is None else write.at + timedelta(seconds=seconds)
    if most is not None and (expires_at is None or expires_at > most):
        write.problems.append(ScopeMissing(path=("expires_in_seconds",), reason=LIVES_LONGER))
    return expires_at
