from typing import TYPE_CHECKING

from mainsheet.models.actor import Actor, ActorKind, ActorStatus
from mainsheet.models.edit import Edit
from mainsheet.models.errors import Invalid
from mainsheet.models.event import EventAction
from mainsheet.models.limits import ERASED_DOMAIN
from mainsheet.models.roles import OrganizationRole

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapped

ERASED = "Erased member"


def stored_email(email: str) -> str:
    """Return the email address in lower case, as it is stored.

    Only ASCII letters are changed: the lower case of the Kelvin sign is k, which would be another person's mailbox.
    """
    return email.lower() if email.isascii() else email


def erased_email(member_id: str) -> str:
    """Return the address of an erased member, which no other member can have."""
    return f"{member_id.lower()}@{ERASED_DOMAIN}"


class Member(Actor):
    """A person in one organization."""

    PREFIX = "MB"
    NOUN = "member"
    SEARCHED = ("name", "email")

    if TYPE_CHECKING:
        email: Mapped[str]  # never null for a member, by a constraint

    @property
    def is_erased(self) -> bool:
        return self.email == erased_email(self.id)

    def refuse_if_erased(self, edit: Edit, field: str = "member_id") -> None:
        """Raise `Refused` if the member was erased: nobody can be made of it again. `field` names the member."""
        if self.is_erased:
            edit.problems.append(Invalid(path=(field,), reason="The member was erased."))
            edit.refuse()

    def erase(self, edit: Edit) -> None:
        """Replace what names the person. What the member did stays, under the new name."""
        self.name, self.email = ERASED, erased_email(self.id)
        self.external_id = self.managed_by = None
        self.status, self.organization_role = ActorStatus.DISABLED, OrganizationRole.MEMBER
        self.revision += 1
        edit.record(EventAction.MEMBER_ERASED, self, self.name)

    __mapper_args__ = {"polymorphic_identity": ActorKind.MEMBER}  # noqa: RUF012 as SQLAlchemy declares it
