"""Lists that are read in pages, by number or by keyset cursor: those of many parents in one statement."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, cast

from sqlalchemy import FromClause, Select, func

from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination import cursor, slices
from mainsheet.resolvers.sql.pagination.cursor import SortKey
from mainsheet.resolvers.sql.pagination.page_arguments import PageArguments
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Build, Query, Row, Statement, View

NO_PARAMETERS: Mapping[str, object] = {}
NEEDS_ROWS = frozenset(("nodes", "edges", "page_info"))  # the attributes of a page that are read from its rows


class PageRow(NamedTuple):
    """The columns that pagination needs. With many parents, a row has either `parent_index` or `parent_key`."""

    id: str
    sort_key: SortKey
    parent_index: int
    parent_key: str


class Total(NamedTuple):
    parent_key: str
    total: int


@dataclass(frozen=True, eq=False)
class PagedList(Generic[Row]):
    """A sorted list below each of many parents.

    `rows` builds the rows of all parents from a view and the names of the list's conditions. `parent` is the column
    that refers to the parent, `by` the sort column (never null), and `id` breaks ties. The other fields choose how a
    database reads the list:

    - `join` joins the relations that the view wants to the rows of a page.
    - `rows_to_count` builds the same rows for a count, where another statement is faster for it.
    - `is_indexed`: an index has each parent's rows in order, so that each parent's page is looked up in it.
    - `indexed` are the columns of this index, where they aren't `by` and `id`: their equals in a joined table, or `by`
      alone if it is unique below a parent.
    - `page_ids` selects the ids of one parent's page, and `rows_by_id` builds the rows that are then read by id.
    - `counted_by` builds the count from other rows, where there is no condition.
    - `list_to_count` chooses the list that is counted instead of this one, by its conditions. Both have the same rows.
    """

    rows: Query[Row]
    parent: Attribute
    by: Attribute
    id: Attribute
    join: Callable[[View, FromClause], Statement] | None = None
    rows_to_count: Build | None = None
    is_indexed: bool = False
    indexed: tuple[Attribute, ...] = ()
    counted_by: Build | None = None
    rows_by_id: Build | None = None
    page_ids: Callable[..., Select[str]] | None = None
    list_to_count: "Callable[[Read, Collection[str]], Awaitable[PagedList[Row] | None]] | None" = None

    async def pages(
        self,
        read: Read,
        keys: Sequence[str],
        arguments: PageArguments,
        *,
        parameters: Mapping[str, object] = NO_PARAMETERS,
    ) -> Mapping[str, "Page[Row]"]:
        """Return each parent's page. This is one statement, or none if nothing is wanted that needs rows.

        `parameters` has the values of the conditions by name. Raises `BadInput` for a cursor of another list.
        """
        descending = arguments.descending != arguments.backwards
        values = {**self.values(arguments), **parameters}
        query = Query(self.page_of_one if len(keys) == 1 else self.pages_of_many, PageRow)
        rows: list[PageRow] = []
        if read.columns is None or not NEEDS_ROWS.isdisjoint(read.columns):
            has_cursor = values["at_id"] is not None
            rows = await read.rows(query, descending, has_cursor, *parameters, keys=keys, **values)
        filtered = FilteredList(self, parameters)
        return {key: page_from(filtered, key, arguments, own) for key, own in self._by_parent(keys, rows).items()}

    def values(self, arguments: PageArguments) -> dict[str, object]:
        """Return the values for the parameters of a page's statement. Raises `BadInput` for a cursor of another list.

        One row more than the page's size is read: it says whether the list continues.
        """
        start = arguments.before if arguments.backwards else arguments.after
        at_key, at_id = (None, None) if start is None else cursor.decode(self.by, start)
        end = arguments.offset + arguments.size + 1
        return {"offset": arguments.offset, "size": arguments.size + 1, "end": end, "at_key": at_key, "at_id": at_id}

    def _by_parent(self, keys: Sequence[str], rows: list[PageRow]) -> Mapping[str, list[PageRow]]:
        if len(keys) == 1:
            return {keys[0]: rows}
        found: dict[str, list[PageRow]] = {key: [] for key in keys}
        if self.is_indexed:
            of_parents = [found[key] for key in keys]
            for row in rows:
                of_parents[row.parent_index].append(row)
        else:
            for row in rows:
                found[row.parent_key].append(row)
        return found

    def page_of_one(self, view: View, descending: bool, has_cursor: bool, *conditions: str) -> Statement:
        if self.page_ids is None or self.rows_by_id is None:
            page = slices.of_one(self._sorted(self.rows(view, *conditions), view, descending, has_cursor))
        else:
            all_rows = self._sorted(self.rows_by_id(view), view, descending, has_cursor)
            page = slices.by_ids(all_rows, self.page_ids(view, all_rows, *conditions))
        return self._joined(view, descending, page)

    def pages_of_many(self, view: View, descending: bool, has_cursor: bool, *conditions: str) -> Statement:
        all_rows = self._sorted(self.rows(view, *conditions), view, descending, has_cursor)
        if not self.is_indexed:
            return self._joined(view, descending, slices.of_many(all_rows))
        if not view.is_sqlite:
            return self._joined(view, descending, slices.by_index(all_rows))
        by_id = self._sorted(self.rows_by_id(view), view, descending).rows if self.rows_by_id else all_rows.rows
        return self._joined(view, descending, slices.by_index_of_sqlite(all_rows, by_id))

    def _sorted(self, rows: Statement, view: View, descending: bool, has_cursor: bool = False) -> slices.SortedRows:
        if view.joins or view.wants("cursor", "start_cursor", "end_cursor"):
            rows = rows.add_columns(self.by.label("sort_key"))
        indexed = self.indexed or (self.by, self.id)
        all_rows = slices.SortedRows(rows, self.parent, self.by, self.id, descending, indexed, has_cursor)
        return replace(all_rows, rows=rows.where(*all_rows.after_cursor(*indexed)))

    def _joined(self, view: View, descending: bool, page: Statement) -> Statement:
        """Join the wanted relations to the rows of the page only, and sort these again."""
        if self.join is None or not view.joins:
            return page
        rows = page.subquery("page")
        return self.join(view, rows).order_by(*slices.directed(descending, rows.c.sort_key, rows.c.id))

    async def to_count(self, read: Read, conditions: Collection[str]) -> "PagedList[Row]":
        """Return the list to count: this one, or one with the same rows."""
        return (self.list_to_count and await self.list_to_count(read, conditions)) or self

    def counted(self, view: View, *conditions: str) -> Statement:
        """Build the rows of all parents, for a count."""
        return (self.rows_to_count or self.rows)(view, *conditions)

    def counts(self, view: View, *conditions: str) -> Statement:
        """Count each parent's rows."""
        if self.counted_by and not conditions:
            return self.counted_by(view)
        return counts_of(self.counted(view, *conditions).where(among(self.parent, KEYS)), self.parent)

    def cursor(self, row: Row) -> str:
        page_row = cast("PageRow", row)
        return cursor.encode(self.by, page_row.sort_key, page_row.id)


def counts_of(rows: Statement, parent: Attribute) -> Statement:
    return rows.group_by(parent).with_only_columns(parent.label("parent_key"), func.count().label("total"))


@dataclass(frozen=True, eq=False)
class FilteredList(Generic[Row]):
    """A list with the values of its conditions. The totals of its pages are counted together."""

    paged_list: PagedList[Row]
    parameters: Mapping[str, object]


@dataclass(eq=False, slots=True)
class Page(Generic[Row]):
    """A page of one parent's list: what a connection shows."""

    filtered_list: FilteredList[Row]
    key: str
    arguments: PageArguments
    nodes: list[Row]
    has_more: bool
    read_to: str | None = None  # the cursor at the end of an empty page, if the list has one

    @property
    def edges(self) -> Sequence["Edge[Row]"]:
        return [Edge(self.filtered_list.paged_list, row) for row in self.nodes]

    @property
    def itself(self) -> "Page[Row]":
        """The key under which `totals` counts."""
        return self

    page_info = itself
    facets = itself

    @property
    def has_next_page(self) -> bool:
        return self.arguments.before is not None if self.arguments.backwards else self.has_more

    @property
    def has_previous_page(self) -> bool:
        if self.arguments.backwards:
            return self.has_more
        return self.arguments.after is not None or self.arguments.offset > 0

    @property
    def start_cursor(self) -> str | None:
        return self.filtered_list.paged_list.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self.filtered_list.paged_list.cursor(self.nodes[-1]) if self.nodes else self.read_to


def page_from(filtered: FilteredList[Row], key: str, arguments: PageArguments, rows: list[PageRow]) -> Page[Row]:
    """Make a page from its rows. If the list continues, they are one more than the page's size."""
    has_more = len(rows) > arguments.size
    if has_more:
        rows.pop()
    if arguments.backwards:
        rows.reverse()
    return Page(filtered, key, arguments, cast("list[Row]", rows), has_more)


@dataclass(frozen=True, eq=False)
class Edge(Generic[Row]):
    paged_list: PagedList[Row]
    node: Row

    @property
    def cursor(self) -> str:
        return self.paged_list.cursor(self.node)


async def totals(read: Read, pages: Sequence[Page[Row]]) -> Mapping[Page[Row], int]:
    """Count the whole list of each page, with one statement for all pages of one list."""
    answer: dict[Page[Row], int] = {}
    for filtered in dict.fromkeys(page.filtered_list for page in pages):
        own = [page for page in pages if page.filtered_list is filtered]
        keys, parameters = [page.key for page in own], filtered.parameters
        counted = await filtered.paged_list.to_count(read, parameters) if parameters else filtered.paged_list
        rows = await read.rows(Query(counted.counts, Total), *parameters, keys=keys, **parameters)
        counts = {row.parent_key: row.total for row in rows}
        answer |= {page: counts.get(page.key, 0) for page in own}
    return answer
