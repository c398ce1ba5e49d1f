"""The scalar of times."""

from dataclasses import replace
from datetime import UTC, datetime

from strawberry.schema.types.base_scalars import DateTimeDefinition

from mainsheet.models.errors import BadInput

DATE_TIME = replace(
    DateTimeDefinition,
    description=(
        "A time in the format of RFC 3339, with up to six digits of fractions of a second. Times in"
        " results are in UTC, unless their field says otherwise. In inputs, a time without an offset from"
        " UTC is in UTC."
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
)


def utc(moment: datetime, name: str) -> datetime:
    """Convert a time to UTC. A time without an offset is UTC.

    Raises `BadInput` if the result is outside the years 1 to 9999.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadInput(f"{name}: the moment lies outside of the years 1 to 9999 in UTC.") from error
