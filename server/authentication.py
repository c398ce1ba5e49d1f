"""From the `Authorization` header (RFC 6750) to the caller."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Self

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.api_token import ApiToken, digest
from models.database import Database
from models.failures import failures_named
from models.member import Member
from resolvers.caller import Caller
from server.last_use import LastUse
from server.oidc import Issuer, RefusedToken
from server.settings import Settings

OUR_PREFIX = "mst_"
MOST_OWNERS = 10_000
DOTS_OF_A_JWT = 2
REFUSED = "bearer token refused"

log = structlog.stdlib.get_logger("server.authentication")


@dataclass(frozen=True)
class Owner:
    """Whose token it is, as the database had it at a moment of the monotonic clock."""

    token: ApiToken
    caller: Caller
    looked_up: float


@dataclass(frozen=True)
class Authenticator:
    """Remembers owners of tokens for `remembered_seconds`: so long a revoked token is still good."""

    database: Database
    last_use: LastUse
    issuer: Issuer | None
    remembered_seconds: float = 0
    _owners: dict[str, Owner] = field(default_factory=dict)

    @classmethod
    def configured(cls, database: Database, settings: Settings) -> Self:
        """Raise `ValueError` when OpenID Connect is configured by half."""
        return cls(database, LastUse(database), Issuer.trusted(settings), settings.token_cache_seconds)

    async def caller(self, authorization: str | None) -> Caller | None:
        """Return who sent the header; None, whatever is wrong with it. Raise `Unavailable` if the database fails."""
        scheme, _, credentials = (authorization or "").partition(" ")
        token = credentials.strip(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            return None
        if token.startswith(OUR_PREFIX):
            return await self._owner(token)
        if self.issuer is not None and token.count(".") == DOTS_OF_A_JWT:
            return await self._subject(self.issuer, token)
        return None

    async def close(self) -> None:
        await self.last_use.close()

    async def _owner(self, secret: str) -> Caller | None:
        now = datetime.now(UTC)
        owner = await self._looked_up(digest(secret))
        if owner is None:
            log.info(REFUSED, reason="no such token")
            return None
        if not owner.token.is_valid(now):
            log.info(REFUSED, reason="the token is expired or revoked", token_id=owner.token.id)
            return None
        self.last_use.note(owner.token, now)
        return owner.caller

    async def _looked_up(self, token_digest: str) -> Owner | None:
        owner = self._owners.get(token_digest)
        if owner is not None and monotonic() - owner.looked_up < self.remembered_seconds:
            return owner
        looked_up = monotonic()
        statement = select(ApiToken, Member).join(
            Member,
            (Member.organization_id == ApiToken.organization_id) & (Member.id == ApiToken.member_id),
        )
        with failures_named():
            await self.database.make_room()
            async with AsyncSession(self.database.reads) as session:
                row = (await session.execute(statement.where(ApiToken.digest == token_digest))).one_or_none()
        if row is None:
            self._owners.pop(token_digest, None)
            return None
        if len(self._owners) >= MOST_OWNERS:
            self._owners.clear()
        owner = self._owners[token_digest] = Owner(row[0], _caller(row[1]), looked_up)
        return owner

    async def _subject(self, issuer: Issuer, token: str) -> Caller | None:
        try:
            email = await issuer.email(token)
        except RefusedToken as refusal:
            log.info(REFUSED, reason=str(refusal))
            return None
        with failures_named():
            await self.database.make_room()
            async with AsyncSession(self.database.reads) as session:
                member = await session.scalar(select(Member).where(Member.email == email))
        if member is None:
            log.info(REFUSED, reason="its subject is no member")
            return None
        return _caller(member)


def _caller(member: Member) -> Caller:
    return Caller(
        member_id=member.id,
        organization_id=member.organization_id,
        organization_role=member.organization_role,
    )
