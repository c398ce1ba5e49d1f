import hashlib
import secrets
from datetime import datetime
from typing import Self

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, Name, tenant
from mainsheet.models.ids import new_id


class ApiToken(Base):
    """A member's bearer token. Only its SHA-256 is stored: a random secret of 256 bits needs no slow hash."""

    __tablename__ = "api_token"
    PREFIX = "AT"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    member_id: Mapped[Id]
    name: Mapped[Name | None]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        tenant("member_id", "member", ondelete="CASCADE"),
        Index("ix_api_token_member", "organization_id", "member_id"),
    )

    @classmethod
    def issue(
        cls,
        organization_id: str,
        member_id: str,
        at: datetime,
        *,
        expires_at: datetime | None,
        name: str | None,
    ) -> tuple[Self, str]:
        """Return the row to store and the secret, which is shown once."""
        secret = "mst_" + secrets.token_urlsafe(32)
        row = cls(
            id=new_id(cls.PREFIX, at),
            organization_id=organization_id,
            member_id=member_id,
            name=name,
            digest=digest(secret),
            created_at=at,
            expires_at=expires_at,
        )
        return row, secret

    def is_valid(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
