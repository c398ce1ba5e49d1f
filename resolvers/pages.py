"""Lists: numbered pages and keyset cursors, for any number of parents in one statement."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Integer, Row, Select, bindparam, func, select, tuple_
from sqlalchemy.types import TypeEngine

from models import limits
from models.base import UtcDateTime
from models.errors import BadInput
from resolvers.keys import among
from resolvers.read import Read


class SortDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True)
class Paging:
    """Which part of a list: `size` items after `offset`, or after or before a cursor."""

    size: int = limits.PAGE_SIZE.maximum
    offset: int = 0
    after: str | None = None
    before: str | None = None
    backwards: bool = False


def paging(
    *,
    limit: int | None = None,
    page: int | None = None,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Paging:
    """Read a list's arguments; raises `BadInput` for a value out of range or two ways of paging at once."""
    given = {name for name, value in locals().items() if value is not None}
    ways = [given & way for way in ({"limit", "page"}, {"first", "after"}, {"last", "before"})]
    if sum(map(bool, ways)) > 1:
        raise BadInput("Use limit and page, or first and after, or last and before, not a mix of them.")
    size = _in_range("limit, first and last", limits.PAGE_SIZE, limit, first, last)
    number = _in_range("page", limits.PAGE, page, default=1)
    return Paging(size, (number - 1) * size, after, before, backwards=bool(ways[2]))


def _in_range(names: str, limit: limits.Number, *values: int | None, default: int = limits.PAGE_SIZE.maximum) -> int:
    value = next((each for each in values if each is not None), default)
    if not limit.minimum <= value <= limit.maximum:
        raise BadInput(f"{names}: {value} is out of range, {limit.minimum} to {limit.maximum}.")
    return value


@dataclass(frozen=True, eq=False)
class Listing:
    """A list below each of many parents, before any page is cut from it.

    `rows` selects the rows of all parents, `parent` says whose a row is, `by` is what they are sorted by
    (never null), `id` breaks ties.
    """

    rows: Select[Any]
    parent: Any
    by: Any
    id: Any
    descending: bool = False

    async def pages(self, read: Read, keys: Sequence[str], paging: Paging) -> Mapping[str, "Page"]:
        """Return each parent's page; one statement for all of them."""
        found: dict[str, list[Row[Any]]] = {key: [] for key in keys}
        for row in await read.rows(self._statement(keys, paging)):
            found[row.parent_key].append(row)
        return {key: Page(self, key, paging, rows) for key, rows in found.items()}

    def _statement(self, keys: Sequence[str], paging: Paging) -> Select[Any]:
        down = self.descending != paging.backwards
        order = [column.desc() if down else column.asc() for column in (self.by, self.id)]
        rows = self.rows.add_columns(self.parent.label("parent_key"), self.by.label("sort_key")).where(
            among(self.parent, keys)
        )
        cursor = paging.before if paging.backwards else paging.after
        if cursor is not None:
            at = tuple_(*self._position(cursor))
            here = tuple_(self.by, self.id)
            rows = rows.where(here < at if down else here > at)
        if len(keys) == 1:
            return rows.order_by(*order).limit(paging.size + 1).offset(_big(paging.offset))
        return _window(rows, func.row_number().over(partition_by=self.parent, order_by=order), paging)

    def cursor(self, row: Row[Any]) -> str:
        value = row.sort_key
        value = value.isoformat() if isinstance(value, datetime) else value
        return base64.urlsafe_b64encode(orjson.dumps([self.by.key, value, row.id])).decode().rstrip("=")

    def _position(self, cursor: str) -> tuple[Any, str]:
        try:
            padded = cursor.encode() + b"=" * (-len(cursor) % 4)
            name, value, row_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if name != self.by.key:
                raise ValueError  # noqa: TRY301
            position = _sort_key(value, self.by.type), _text(row_id)
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise BadInput("This cursor isn't one of this list in this order.") from error
        return bindparam(None, position[0], type_=self.by.type, unique=True), position[1]


def _sort_key(value: Any, column: TypeEngine[Any]) -> datetime | int | str:
    """Read a cursor's value as the column has it; raises `ValueError`, `TypeError` or `OverflowError`."""
    if isinstance(column, UtcDateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(column, Integer):
        if type(value) is not int or not 0 <= value <= limits.MAX_INT:
            raise ValueError
        return value
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not limits.storable(value):
        raise ValueError
    return value


def _window(rows: Select[Any], position: ColumnElement[int], paging: Paging) -> Select[Any]:
    numbered = rows.add_columns(position.label("position")).subquery()
    highest = paging.offset + paging.size + 1
    return (
        select(numbered)
        .where(numbered.c.position.between(_big(paging.offset + 1), _big(highest)))
        .order_by(numbered.c.position)
    )


def _big(number: int) -> Any:
    return bindparam(None, number, type_=BigInteger, unique=True)


@dataclass(frozen=True, eq=False)
class Page:
    """One parent's page; `found` holds one row more than asked for if there is one."""

    listing: Listing
    key: str
    paging: Paging
    found: Sequence[Row[Any]]

    @cached_property
    def nodes(self) -> Sequence[Row[Any]]:
        rows = self.found[: self.paging.size]
        return rows[::-1] if self.paging.backwards else rows

    @property
    def edges(self) -> Sequence["Edge"]:
        return [Edge(self.listing, row) for row in self.nodes]

    @property
    def itself(self) -> "Page":
        """The key under which `totals` counts."""
        return self

    page_info = itself

    @property
    def has_next_page(self) -> bool:
        return self.paging.before is not None if self.paging.backwards else self._has_more

    @property
    def has_previous_page(self) -> bool:
        if self.paging.backwards:
            return self._has_more
        return self.paging.after is not None or self.paging.offset > 0

    @property
    def start_cursor(self) -> str | None:
        return self.listing.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self.listing.cursor(self.nodes[-1]) if self.nodes else None

    @property
    def _has_more(self) -> bool:
        return len(self.found) > self.paging.size


@dataclass(frozen=True, eq=False)
class Edge:
    listing: Listing
    node: Row[Any]

    @property
    def cursor(self) -> str:
        return self.listing.cursor(self.node)


async def totals(read: Read, pages: Sequence[Page]) -> Mapping[Page, int]:
    """Count each page's whole list; one statement for all pages of one listing."""
    answer: dict[Page, int] = {}
    for listing in dict.fromkeys(page.listing for page in pages):
        own = [page for page in pages if page.listing is listing]
        counts = await _counts(read, listing, [page.key for page in own])
        answer |= {page: counts.get(page.key, 0) for page in own}
    return answer


async def _counts(read: Read, listing: Listing, keys: Sequence[str]) -> Mapping[str, int]:
    statement = (
        listing.rows.with_only_columns(listing.parent.label("parent_key"), func.count().label("total"))
        .where(among(listing.parent, keys))
        .group_by(listing.parent)
    )
    return {row.parent_key: row.total for row in await read.rows(statement)}
