from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from mainsheet.models.base import Base


class SchemaCompatibility(Base):
    """The oldest revision whose version of this package can serve the database. The table has one row.

    Each migration writes it, so that an older version can read whether it may work with the tables of a newer one.
    """

    __tablename__ = "schema_compatibility"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    compatible_from: Mapped[str] = mapped_column(String(32))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
