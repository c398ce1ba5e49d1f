"""Operations on bearer tokens for the command line."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.api_token import ApiToken
from mainsheet.models.clock import database_time, read_clock
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.limits import storable
from mainsheet.models.member import Member, stored_email

DEMO_NAME = "demo"
DEMO_LIFETIME = timedelta(days=7)


async def create(database: Database, email: str, expires_in: timedelta | None, name: str | None) -> str:
    """Create a token and return its secret, which can't be shown again. Raises `BadInput` for an unknown member."""
    async with AsyncSession(database.writes) as session, session.begin():
        member, now = await _member(session, email), await read_clock(session)
        return _issue(session, member, now, now + expires_in if expires_in else None, name)


async def listing(database: Database, email: str | None) -> Sequence[Row[ApiToken, Member, datetime]]:
    """Return the tokens of one member or of all, oldest first, with their members and the current time."""
    statement = (
        select(ApiToken, Member, database_time())
        .join(Member, (Member.organization_id == ApiToken.organization_id) & (Member.id == ApiToken.member_id))
        .order_by(ApiToken.id)
    )
    async with AsyncSession(database.reads, expire_on_commit=False) as session:
        if email is not None:
            statement = statement.where(Member.id == (await _member(session, email)).id)
        return (await session.execute(statement)).all()


async def revoke(database: Database, token_id: str) -> bool:
    """Revoke a token and return whether it wasn't revoked before. Raises `BadInput` for an unknown token."""
    async with AsyncSession(database.writes) as session, session.begin():
        token = await session.get(ApiToken, token_id) if storable(token_id) else None
        if token is None:
            raise BadInput(f"There is no token {token_id}.")
        if token.revoked_at is not None:
            return False
        token.revoked_at = await read_clock(session)
        return True


async def renew_demo(database: Database, emails: Collection[str]) -> Mapping[str, str]:
    """Revoke the demo tokens of earlier starts and return a new secret for each email."""
    async with AsyncSession(database.writes) as session, session.begin():
        now = await read_clock(session)
        await _end_demo(session, emails, now)
        members = [await _member(session, email) for email in emails]
        return {member.email: _issue(session, member, now, now + DEMO_LIFETIME, DEMO_NAME) for member in members}


async def end_demo(database: Database, emails: Collection[str]) -> None:
    """Revoke the demo tokens of these members: their secrets were shown in a terminal or the playground."""
    async with AsyncSession(database.writes) as session, session.begin():
        await _end_demo(session, emails, await read_clock(session))


async def _end_demo(session: AsyncSession, emails: Collection[str], now: datetime) -> None:
    members = select(Member.id).where(Member.email.in_(emails))
    await session.execute(
        update(ApiToken)
        .where(ApiToken.member_id.in_(members), ApiToken.name == DEMO_NAME, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def _issue(session: AsyncSession, member: Member, now: datetime, expires_at: datetime | None, name: str | None) -> str:
    token, secret = ApiToken.issue(member.organization_id, member.id, now, expires_at=expires_at, name=name)
    session.add(token)
    return secret


async def _member(session: AsyncSession, email: str) -> Member:
    found = select(Member).where(Member.email == stored_email(email))
    member = await session.scalar(found) if storable(email) else None
    if member is None:
        raise BadInput(f"There is no member {email}.")
    return member
