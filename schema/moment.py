"""Moments that clients send."""

from datetime import UTC, datetime

from mainsheet.models.errors import BadInput


def utc(moment: datetime, name: str) -> datetime:
    """Return the moment in UTC, as which one without an offset is taken.

    Raises `BadInput` where UTC's calendar, of the years 1 to 9999, doesn't have it.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadInput(f"{name}: the moment lies outside of the years 1 to 9999 in UTC.") from error
