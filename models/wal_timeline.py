from sqlalchemy import BigInteger, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base

# The timeline of a primary is the beginning of the name of each file of its log, in hexadecimal digits.
TIMELINE_OF = "('x' || left(pg_walfile_name({position}), 8))::bit(32)::int"


class WalTimeline(Base):
    """A timeline of PostgreSQL's write-ahead log (WAL). A server begins one when it is promoted or restored.

    The newest row is that of the primary's timeline. It is written after the timeline began, so a replica that has the
    row has replayed the same timeline. `key` signs positions in it, which mean nothing in another one.
    """

    __tablename__ = "wal_timeline"

    number: Mapped[int] = mapped_column(Identity(), primary_key=True)
    system_identifier: Mapped[int] = mapped_column(BigInteger)  # of the cluster
    timeline: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
