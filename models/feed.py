from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base, sorted_text
from mainsheet.models.event import START


class Feed(Base):
    """The state of all feeds, in one row.

    `epoch` grows when the database was restored into a cluster whose transactions have smaller numbers. Events up to
    the position `expired_to` were deleted.
    """

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    expired_to: Mapped[str] = mapped_column(sorted_text(len(START)))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
