"""Operations on bearer tokens for the command line."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, select, update
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

DEMO_NAME = "demo"
DEMO_LIFETIME = timedelta(days=7)


async def create(
    database: Database,
    email: str,
    expires_in: timedelta | None,
    name: str | None,
    *,
    organization: str | None = None,
    scopes: Collection[AccessScope] = (),
) -> str:
    """Create a token and return its secret, which can't be shown again. Without `scopes`, it gets the default ones.

    Raises `BadInput` for an unknown or disabled member, and for an email of several organizations without one's id.
    """
    async with AsyncSession(database.writes) as session, session.begin():
        member, now = await _member(session, email, organization), await read_clock(session)
        if member.status is ActorStatus.DISABLED:
            raise BadInput(f"The member {email} is disabled.")
        expires_at = now + expires_in if expires_in else None
        token, secret = _issue(session, member, now, expires_at=expires_at, name=name, scopes=scopes)
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
        members = [await _member(session, email) for email in emails]
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
    member: Member,
    now: datetime,
    *,
    expires_at: datetime | None,
    name: str | None,
    scopes: Collection[AccessScope] = (),
) -> tuple[AccessToken, str]:
    token, secret = AccessToken.issue(
        member.organization_id,
        member.id,
        now,
        expires_at=expires_at,
        name=name,
        scopes=scopes or DEFAULT_SCOPES[member.organization_role],
    )
    session.add(token)
    return token, secret


async def _member(session: AsyncSession, email: str, organization: str | None = None) -> Member:
    found = select(Member).where(Member.email == stored_email(email))
    if organization is not None:
        found = found.where(Member.organization_id == organization)
    is_storable = storable(email) and storable(organization or "")
    members = (await session.scalars(found)).all() if is_storable else ()
    if not members:
        raise BadInput(f"There is no member {email}{f' in the organization {organization}' if organization else ''}.")
    if len(members) > 1:
        ids = ", ".join(sorted(each.organization_id for each in members))
        raise BadInput(f"{email} is a member of several organizations: name one of {ids}.")
    return members[0]
