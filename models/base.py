import enum
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Enum,
    ForeignKeyConstraint,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

# PostgreSQL's driver stores the first and the last time of Python's calendar as infinite times, which can't be
# calculated with, and are read without an offset. The times next to them are stored in their place.
FINITE = {
    datetime.min.replace(tzinfo=UTC): datetime.min.replace(tzinfo=UTC) + timedelta.resolution,
    datetime.max.replace(tzinfo=UTC): datetime.max.replace(tzinfo=UTC) - timedelta.resolution,
}


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: `timestamptz` on PostgreSQL, text on SQLite, an aware `datetime` in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return FINITE.get(moment, moment)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def sorted_text(length: int) -> String:
    """Return a text type that sorts by code points on both databases, whatever PostgreSQL's locale is."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def enum_type(values: type[enum.Enum], name: str | None = None) -> Enum:
    """Return the type of an enum's column. `name` is that of its check constraint, the class's by default."""
    return Enum(values, name=name, native_enum=False, length=20, create_constraint=True)


Id = Annotated[str, mapped_column(String(20))]
Name = Annotated[str, mapped_column(sorted_text(255))]
Note = Annotated[str, mapped_column(String(1023))]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        enum.Enum: enum_type(enum.Enum),
    }


def tenant(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """Return a foreign key that includes the organization, so that no row refers to another organization's."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"], **options)


def tenant_key() -> UniqueConstraint:
    """Return the unique constraint that foreign keys made by `tenant` refer to."""
    return UniqueConstraint("organization_id", "id")
