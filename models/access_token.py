import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, Self

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Json, Name, tenant
from mainsheet.models.edit import Edit
from mainsheet.models.event import Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.roles import AccessScope, OrganizationRole

OF_ALL = frozenset({AccessScope.READ, AccessScope.WRITE})
DEFAULT_SCOPES: Mapping[OrganizationRole, frozenset[AccessScope]] = {
    OrganizationRole.MEMBER: OF_ALL,
    OrganizationRole.AUDITOR: OF_ALL,
    OrganizationRole.ADMIN: frozenset(AccessScope),  # with RUNS, which a worker's token can have only from theirs
}


class AccessToken(Base):
    """An actor's bearer token. Only its SHA-256 is stored: a random secret of 256 bits needs no slow hash."""

    __tablename__ = "access_token"
    PREFIX = "AT"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    actor_id: Mapped[Id]
    name: Mapped[Name | None]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    created_by_id: Mapped[Id | None]  # None: by the command line
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        tenant("actor_id", "actor", ondelete="CASCADE"),
        tenant("created_by_id", "actor"),
        Index("ix_access_token_actor", "organization_id", "actor_id"),
        Index(
            "ix_access_token_expiry",
            "organization_id",
            "expires_at",
            "actor_id",
            postgresql_where=text("revoked_at IS NULL"),
            sqlite_where=text("revoked_at IS NULL"),
        ),
    )

    @classmethod
    def issue(
        cls,
        organization_id: str,
        actor_id: str,
        at: datetime,
        *,
        expires_at: datetime | None,
        name: str | None,
        scopes: Iterable[AccessScope],
        created_by_id: str | None = None,
    ) -> tuple[Self, str]:
        """Return the row to store and the secret, which is shown once."""
        secret = "mst_" + secrets.token_urlsafe(32)
        row = cls(
            id=new_id(cls.PREFIX, at),
            organization_id=organization_id,
            actor_id=actor_id,
            name=name,
            digest=digest(secret),
            scopes=sorted(scopes),
            created_at=at,
            created_by_id=created_by_id,
            expires_at=expires_at,
        )
        return row, secret

    def event(self, action: EventAction, at: datetime) -> Event:
        """Return the event of a change by the command line, which is no actor."""
        edit = Edit("", at)
        edit.record(action, self, self.name or self.id, only_for_id=self.actor_id)
        (event,) = edit.events
        event.actor_id = None
        return event


class TokenTimes(Protocol):
    """The columns that say how long a token is valid."""

    expires_at: datetime | None
    revoked_at: datetime | None


def is_valid(token: TokenTimes, at: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or at < token.expires_at)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
