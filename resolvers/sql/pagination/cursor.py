"""Keyset cursors: opaque texts that hold the name of the sort column, the row's value in it, and the row's id."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
from sqlalchemy import BigInteger, Integer
from sqlalchemy.types import TypeEngine

from mainsheet.models import limits
from mainsheet.models.base import UtcDateTime
from mainsheet.models.errors import BadInput
from mainsheet.resolvers.sql.statement import Attribute

SortKey: TypeAlias = datetime | int | str
MAX_BIGINT = 2**63 - 1


def encode(sorted_by: Attribute, sort_key: SortKey, row_id: str) -> str:
    value = sort_key.isoformat() if isinstance(sort_key, datetime) else sort_key
    return base64.urlsafe_b64encode(orjson.dumps([sorted_by.key, value, row_id])).decode().rstrip("=")


def decode(sorted_by: Attribute, cursor: str) -> tuple[SortKey, str]:
    """Return the sort key and the id. Raises `BadInput` for a cursor of another list."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        name, value, row_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if name != sorted_by.key:
            raise ValueError  # noqa: TRY301
        return _sort_key(value, sorted_by.type), _text(row_id)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise BadInput("This cursor isn't one of this list in this order.") from error


def _sort_key(value: Any, column: TypeEngine[Any]) -> SortKey:
    """Convert a cursor's value to the column's type. Raises `ValueError`, `TypeError` or `OverflowError`."""
    if isinstance(column, UtcDateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(column, Integer):
        maximum = MAX_BIGINT if isinstance(column, BigInteger) else limits.MAX_INT
        if type(value) is not int or not 0 <= value <= maximum:
            raise ValueError
        return value
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not limits.storable(value):
        raise ValueError
    return value
