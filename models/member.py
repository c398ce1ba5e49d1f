from typing import TYPE_CHECKING

from mainsheet.models.actor import Actor, ActorKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapped


def stored_email(email: str) -> str:
    """Return the email address in lower case, as it is stored.

    Only ASCII letters are changed: the lower case of the Kelvin sign is k, which would be another person's mailbox.
    """
    return email.lower() if email.isascii() else email


class Member(Actor):
    """A person in one organization."""

    PREFIX = "MB"

    if TYPE_CHECKING:
        email: Mapped[str]  # never null for a member, by a constraint

    __mapper_args__ = {"polymorphic_identity": ActorKind.MEMBER}  # noqa: RUF012 as SQLAlchemy declares it
