from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Name


class Organization(Base):
    """The tenant: every row belongs to exactly one, nothing crosses it."""

    __tablename__ = "organization"
    PREFIX = "OR"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name] = mapped_column(unique=True)
