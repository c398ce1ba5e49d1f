"""Lists: numbered pages and keyset cursors, for any number of parents in one statement."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeAlias, cast

import orjson
from sqlalchemy import FromClause, Integer, Select, String, bindparam, func, tuple_
from sqlalchemy.types import TypeEngine

from mainsheet.models import limits
from mainsheet.models.base import UtcDateTime
from mainsheet.models.errors import BadInput
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import slices
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Build, Expression, Query, Row, Statement, View

NO_PARAMETERS: Mapping[str, object] = {}
SortKey: TypeAlias = datetime | int | str
OF_ROWS = frozenset(("nodes", "edges", "page_info"))  # what a page has from its rows


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
    sizes = [each for each in (limit, first, last) if each is not None]
    size = limits.PAGE_SIZE.argument("limit, first and last", sizes[0]) if sizes else limits.PAGE_SIZE.maximum
    number = 1 if page is None else limits.PAGE.argument("page", page)
    return Paging(size, (number - 1) * size, after, before, backwards=bool(ways[2]))


def _directed(down: bool, *columns: Expression) -> list[Expression]:
    return [column.desc() if down else column.asc() for column in columns]


class PageRow(NamedTuple):
    """What a page needs of its rows, beside what the list shows: `place` or `parent_key` where it has many parents."""

    id: str
    sort_key: SortKey
    place: int
    parent_key: str


class Total(NamedTuple):
    parent_key: str
    total: int


@dataclass(frozen=True, eq=False)
class Listing(Generic[Row]):
    """A list below each of many parents, before any page is cut from it.

    `rows` builds the rows of all parents, from a view and the names of what is asked beyond the page; `parent` says
    whose a row is, `by` is what they are sorted by (never null), `id` breaks ties. `dress` joins to a page what the
    view wants joined. `counted` builds the same rows for who needs all of them, where that is done better in another
    way than by pages. `is_indexed`: an index has each parent's rows, so that a page is looked up for each. `ids`
    selects those of the page, where one parent's is better read in two steps; `known` builds what is read by its id.
    """

    rows: Query[Row]
    parent: Attribute
    by: Attribute
    id: Attribute
    dress: Callable[[View, FromClause], Statement] | None = None
    counted: Build | None = None
    is_indexed: bool = False
    known: Build | None = None
    ids: Callable[..., Select[str]] | None = None

    async def pages(
        self,
        read: Read,
        keys: Sequence[str],
        paging: Paging,
        *,
        descending: bool = False,
        parameters: Mapping[str, object] = NO_PARAMETERS,
    ) -> Mapping[str, "Page[Row]"]:
        """Return each parent's page; one statement for all of them, none where nothing of a page is wanted.

        `parameters` has the values of what `rows` names. Raises `BadInput` for a cursor of another list.
        """
        down = descending != paging.backwards
        cursor = paging.before if paging.backwards else paging.after
        at_key, at_id = (None, None) if cursor is None else self._position(cursor)
        values = {
            "offset": paging.offset,
            "size": paging.size + 1,
            "end": paging.offset + paging.size + 1,
            "at_key": at_key,
            "at_id": at_id,
        }
        query = Query(self.page_of_one if len(keys) == 1 else self.pages_of_many, PageRow)
        is_read = read.columns is None or not OF_ROWS.isdisjoint(read.columns)
        rows: list[PageRow] = []
        if is_read:
            rows = await read.rows(query, down, cursor is not None, *parameters, keys=keys, **values, **parameters)
        request = ListRequest(self, parameters)
        return {key: _page(request, key, paging, own) for key, own in self._of_each(keys, rows).items()}

    def _of_each(self, keys: Sequence[str], rows: list[PageRow]) -> Mapping[str, list[PageRow]]:
        if len(keys) == 1:
            return {keys[0]: rows}
        found: dict[str, list[PageRow]] = {key: [] for key in keys}
        if self.is_indexed:
            places = [found[key] for key in keys]
            for row in rows:
                places[row.place].append(row)
        else:
            for row in rows:
                found[row.parent_key].append(row)
        return found

    def page_of_one(self, view: View, down: bool, is_after: bool, *conditions: str) -> Statement:
        if self.ids is None or self.known is None:
            page = slices.of_one(self._list(self.rows(view, *conditions), view, down, is_after))
        else:
            all_ = self._list(self.known(view), view, down, is_after)
            page = slices.by_ids(all_, self.ids(view, all_, *conditions))
        return self._dressed(view, down, page)

    def pages_of_many(self, view: View, down: bool, is_after: bool, *conditions: str) -> Statement:
        whole = self._list(self.rows(view, *conditions), view, down, is_after)
        if not self.is_indexed:
            return self._dressed(view, down, slices.of_many(whole))
        if not view.is_sqlite:
            return self._dressed(view, down, slices.by_index(whole))
        known = self._list(self.known(view), view, down, is_after=False).rows if self.known else whole.rows
        return self._dressed(view, down, slices.by_index_of_sqlite(whole, known))

    def _list(self, rows: Statement, view: View, down: bool, is_after: bool) -> slices.SortedRows:
        if view.joins or view.wants("cursor", "start_cursor", "end_cursor"):
            rows = rows.add_columns(self.by.label("sort_key"))
        if is_after:
            at = tuple_(bindparam("at_key", type_=self.by.type), bindparam("at_id", type_=String()))
            here = tuple_(self.by, self.id)
            rows = rows.where(here < at if down else here > at)
        return slices.SortedRows(rows, self.parent, self.by, self.id, down)

    def _dressed(self, view: View, down: bool, page: Statement) -> Statement:
        """Join to the page's rows only, and sort them again."""
        if self.dress is None or not view.joins:
            return page
        cut = page.subquery("page")
        return self.dress(view, cut).order_by(*_directed(down, cut.c.sort_key, cut.c.id))

    def counts(self, view: View, *conditions: str) -> Statement:
        """Count each parent's rows."""
        rows = (self.counted or self.rows)(view, *conditions).where(among(self.parent, KEYS)).group_by(self.parent)
        return rows.with_only_columns(self.parent.label("parent_key"), func.count().label("total"))

    def cursor(self, row: Row) -> str:
        page_row = cast("PageRow", row)
        value = page_row.sort_key
        value = value.isoformat() if isinstance(value, datetime) else value
        return base64.urlsafe_b64encode(orjson.dumps([self.by.key, value, page_row.id])).decode().rstrip("=")

    def _position(self, cursor: str) -> tuple[SortKey, str]:
        try:
            padded = cursor.encode() + b"=" * (-len(cursor) % 4)
            name, value, row_id = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if name != self.by.key:
                raise ValueError  # noqa: TRY301
            return _sort_key(value, self.by.type), _text(row_id)
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise BadInput("This cursor isn't one of this list in this order.") from error


def _sort_key(value: Any, column: TypeEngine[Any]) -> SortKey:
    """Read a cursor's value as the column has it; raises `ValueError`, `TypeError` or `OverflowError`."""
    if isinstance(column, UtcDateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(column, Integer):
        if type(value) is not int or not 0 <= value <= limits.MAX_INT:
            raise ValueError
        return value
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not limits.storable(value):
        raise ValueError
    return value


@dataclass(frozen=True, eq=False)
class ListRequest(Generic[Row]):
    """A list with the values of its conditions: the totals of its pages are counted together."""

    listing: Listing[Row]
    parameters: Mapping[str, object]


@dataclass(eq=False, slots=True)
class Page(Generic[Row]):
    """One parent's page of a list."""

    request: ListRequest[Row]
    key: str
    paging: Paging
    nodes: list[Row]
    has_more: bool

    @property
    def edges(self) -> Sequence["Edge[Row]"]:
        return [Edge(self.request.listing, row) for row in self.nodes]

    @property
    def itself(self) -> "Page[Row]":
        """The key under which `totals` counts."""
        return self

    page_info = itself

    @property
    def has_next_page(self) -> bool:
        return self.paging.before is not None if self.paging.backwards else self.has_more

    @property
    def has_previous_page(self) -> bool:
        if self.paging.backwards:
            return self.has_more
        return self.paging.after is not None or self.paging.offset > 0

    @property
    def start_cursor(self) -> str | None:
        return self.request.listing.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self.request.listing.cursor(self.nodes[-1]) if self.nodes else None


def _page(request: ListRequest[Row], key: str, paging: Paging, rows: list[PageRow]) -> Page[Row]:
    """Make a page of its rows, of which there is one more than asked for if the list goes on."""
    has_more = len(rows) > paging.size
    if has_more:
        rows.pop()
    if paging.backwards:
        rows.reverse()
    return Page(request, key, paging, cast("list[Row]", rows), has_more)


@dataclass(frozen=True, eq=False)
class Edge(Generic[Row]):
    listing: Listing[Row]
    node: Row

    @property
    def cursor(self) -> str:
        return self.listing.cursor(self.node)


async def totals(read: Read, pages: Sequence[Page[Row]]) -> Mapping[Page[Row], int]:
    """Count each page's whole list; one statement for all pages of one list."""
    answer: dict[Page[Row], int] = {}
    for request in dict.fromkeys(page.request for page in pages):
        own = [page for page in pages if page.request is request]
        keys = [page.key for page in own]
        rows = await read.rows(
            Query(request.listing.counts, Total), *request.parameters, keys=keys, **request.parameters
        )
        counts = {row.parent_key: row.total for row in rows}
        answer |= {page: counts.get(page.key, 0) for page in own}
    return answer
