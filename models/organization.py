from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, Id, sorted_text
from mainsheet.models.event import START
from mainsheet.models.managed import Named


class Organization(Named, Base):
    """The tenant. Every row belongs to exactly one organization, and refers only to rows of the same one.

    `events_expired_to` is the position of its newest event that was deleted, or START.
    Names needn't be unique: refusing a name that is taken would reveal that another organization has it.
    """

    __tablename__ = "organization"
    PREFIX = "OR"
    NOUN = "organization"

    id: Mapped[Id] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    events_expired_to: Mapped[str] = mapped_column(sorted_text(len(START)), server_default=START)

    @property
    def organization_id(self) -> str:
        return self.id
