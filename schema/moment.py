"""Times that clients send."""

from datetime import UTC, datetime

from mainsheet.models.errors import BadInput


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
