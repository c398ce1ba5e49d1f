"""Operations on bearer tokens for the command line."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import DEFAULT_SCOPES, AccessToken
from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.clock import database_time, read_clock
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.event import EventAction
from mainsheet.models.limits import storable
from mainsheet.models.member import Member, stored_email
from mainsheet.models.roles import AccessScope
from mainsheet.models.service_account import ServiceAccount

DEMO_NAME = "demo"
DEMO_LIFETIME = timedelta(days=7)


class Named(NamedTuple):
    """An actor as the command line names it. Several organizations may have one of the same name."""

    kind: type[Member | ServiceAccount]
    key: str
    is_meant: ColumnElement[bool]

    @property
    def noun(self) -> str:
        return self.kind.NOUN


async def create(
    database: Database,
    email: str,
    expires_in: timedelta | None,
    name: str | None,
    *,
    organization: str | None = None,
    scopes: Collection[AccessScope] = (),
) -> str:
    """Create a member's token and return its secret, which can't be shown again. `scopes` defaults to the role's.

    Raises `BadInput` for an unknown or disabled member, and for an email of several organizations without one's id.
    """
    return await _create(database, _member_of(email), expires_in, name, organization=organization, scopes=scopes)


async def create_for_account(
    database: Database,
    account: str,
    expires_in: timedelta | None,
    name: str | None,
    *,
    organization: str | None = None,
    scopes: Collection[AccessScope] = (),
) -> str:
    """Create a token of the service account with this name, as `create` does for a member."""
    whose = Named(ServiceAccount, account, ServiceAccount.name == account)
    return await _create(database, whose, expires_in, name, organization=organization, scopes=scopes)


async def _create(
    database: Database,
    whose: Named,
    expires_in: timedelta | None,
    name: str | None,
    *,
    organization: str | None,
    scopes: Collection[AccessScope],
) -> str:
    async with AsyncSession(database.writes) as session, session.begin():
        actor, now = await _actor(session, whose, organization), await read_clock(session)
        if actor.status is ActorStatus.DISABLED:
            raise BadInput(f"The {whose.noun} {whose.key} is disabled.")
        expires_at = now + expires_in if expires_in else None
        token, secret = _issue(session, actor, now, expires_at=expires_at, name=name, scopes=scopes)
        session.add(token.event(EventAction.TOKEN_CREATED, now))
        return secret


async def listing(database: Database, email: str | None) -> Sequence[Row[AccessToken, Actor, datetime]]:
    """Return the tokens of one member or of all actors, oldest first, with their actors and the current time."""
    statement = (
        select(AccessToken, Actor, database_time())
        .join(Actor, (Actor.organization_id == AccessToken.organization_id) & (Actor.id == AccessToken.actor_id))
        .order_by(AccessToken.id)
    )
    async with AsyncSession(database.reads, expire_on_commit=False) as session:
        if email is not None:
            statement = statement.where(Actor.email == stored_email(email))
        return (await session.execute(statement)).all()


async def revoke(database: Database, token_id: str) -> bool:
    """Revoke a token and return whether it wasn't revoked before. Raises `BadInput` for an unknown token."""
    async with AsyncSession(database.writes) as session, session.begin():
        token = await session.get(AccessToken, token_id) if storable(token_id) else None
        if token is None:
            raise BadInput(f"There is no token {token_id}.")
        if token.revoked_at is not None:
            return False
        token.revoked_at = await read_clock(session)
        session.add(token.event(EventAction.TOKEN_REVOKED, token.revoked_at))
        return True


async def renew_demo(database: Database, emails: Collection[str]) -> Mapping[str, str]:
    """Revoke the demo tokens of earlier starts and return a new secret for each email."""
    async with AsyncSession(database.writes) as session, session.begin():
        now = await read_clock(session)
        await _end_demo(session, emails, now)
        members = [await _actor(session, _member_of(email)) for email in emails]
        issued = [_issue(session, member, now, expires_at=now + DEMO_LIFETIME, name=DEMO_NAME) for member in members]
        return {email: secret for email, (_, secret) in zip(emails, issued, strict=True)}


async def end_demo(database: Database, emails: Collection[str]) -> None:
    """Revoke the demo tokens of these members: their secrets were shown in a terminal or the playground."""
    async with AsyncSession(database.writes) as session, session.begin():
        await _end_demo(session, emails, await read_clock(session))


async def _end_demo(session: AsyncSession, emails: Collection[str], now: datetime) -> None:
    members = select(Member.id).where(Member.email.in_(emails))
    await session.execute(
        update(AccessToken)
        .where(AccessToken.actor_id.in_(members), AccessToken.name == DEMO_NAME, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def _issue(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    *,
    expires_at: datetime | None,
    name: str | None,
    scopes: Collection[AccessScope] = (),
) -> tuple[AccessToken, str]:
    token, secret = AccessToken.issue(
        actor.organization_id,
        actor.id,
        now,
        expires_at=expires_at,
        name=name,
        scopes=scopes or DEFAULT_SCOPES[actor.organization_role],
    )
    session.add(token)
    return token, secret


async def _actor(session: AsyncSession, whose: Named, organization: str | None = None) -> Actor:
    found = select(whose.kind).where(whose.is_meant)
    if organization is not None:
        found = found.where(Actor.organization_id == organization)
    is_storable = storable(whose.key) and storable(organization or "")
    actors = (await session.scalars(found)).all() if is_storable else ()
    if not actors:
        where = f" in the organization {organization}" if organization else ""
        raise BadInput(f"There is no {whose.noun} {whose.key}{where}.")
    if len(actors) > 1:
        ids = ", ".join(sorted(each.organization_id for each in actors))
        raise BadInput(f"{whose.key} is a {whose.noun} of several organizations: name one of {ids}.")
    return actors[0]


def _member_of(email: str) -> Named:
    return Named(Member, email, Member.email == stored_email(email))
