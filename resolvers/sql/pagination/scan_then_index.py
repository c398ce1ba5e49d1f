"""The page of a filtered list whose number of matches is unknown: scan the start, then use the filter's index.

If many rows match, a scan in the order of the list soon fills a page. If few match, an index finds them faster. Generic
plans can't tell which is the case. So the statement scans the first `SCAN_LIMIT` rows of the list, and only if these
don't fill the page, it reads all matches from the conditions' indexes and sorts them. Both are parts of one statement:
a database doesn't run the second part if the first was enough (decision 17).
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, FromClause, Select, func, literal_column, select, true, union_all
from sqlalchemy.orm import aliased
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import ClauseAdapter

from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.pagination.slices import END, OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.statement import Expression, Statement, View

SCAN_LIMIT = 3000
# An offset, even of 0, makes a database run a subquery as it is written, instead of merging it into the outer query.
NO_OFFSET: ColumnElement[int] = literal_column("0")


@dataclass(frozen=True)
class ScanThenIndex:
    """The ids of a page of `model`'s rows.

    `by_index` and `by_row` build the conditions with some names: on `model` for its indexes, and on an alias of it for
    a scan. `imply_organization` names those of which the index contains the organization. `visible` checks a row of an
    alias, by the columns that `visible_by` names. `scans` is how many times `SCAN_LIMIT` rows are scanned first.
    `reads_on`: the list is read on after cursors. The index isn't read if the scan came to the end, and it is read
    before the rows' own conditions, such as the cursor's, are checked: PostgreSQL would read the rows after the cursor
    from another index.
    """

    model: type[Any]
    by_index: Callable[..., Sequence[ColumnElement[bool]]]
    by_row: Callable[..., Sequence[ColumnElement[bool]]]
    imply_organization: AbstractSet[str]
    visible: Callable[[View, Any], ColumnElement[bool]] = lambda _view, _row: true()
    visible_by: Sequence[str] = ()
    scans: int = 1
    reads_on: bool = False

    def page_ids(self, view: View, all_rows: SortedRows, *conditions: str) -> Select[str]:
        """Select the ids of the page. `all_rows` has all rows after the cursor, in the order of the list."""
        near = self._scanned(view, all_rows, *conditions).cte("near")
        is_enough: ColumnElement[bool] = select(func.count()).select_from(near).scalar_subquery() >= END
        if self.reads_on:
            is_enough = is_enough | ~self._goes_on(all_rows)
        is_needed = select(literal_column("1").label("one")).where(~is_enough).subquery("is_needed")
        all_ = self._looked_up(view, all_rows, is_needed, *conditions).subquery("all_matches")
        shown = union_all(select(near).where(is_enough), select(all_)).subquery("shown")
        ordered = select(shown.c.id).order_by(*all_rows.order_of(shown.c.sort_key, shown.c.id))
        return ordered.limit(SIZE).offset(OFFSET)

    def _scanned(self, view: View, all_rows: SortedRows, *conditions: str) -> Statement:
        needed = ("id", all_rows.parent.key, all_rows.by.key, *self.visible_by, *self._compared(*conditions))
        columns = [self.model.__table__.c[name] for name in dict.fromkeys(needed)]
        own = all_rows.rows.with_only_columns(*columns).where(among(all_rows.parent, KEYS))
        first = own.order_by(*all_rows.order).limit(literal_column(str(self.scans * SCAN_LIMIT))).subquery("first_rows")
        return self._matches(view, all_rows, first, first.c[all_rows.by.key], *conditions)

    def _goes_on(self, all_rows: SortedRows) -> ColumnElement[bool]:
        """Whether there is a row after those that are scanned."""
        rows = all_rows.rows.with_only_columns(all_rows.id).where(among(all_rows.parent, KEYS))
        following = rows.order_by(*all_rows.order).offset(literal_column(str(self.scans * SCAN_LIMIT)))
        return following.limit(literal_column("1")).scalar_subquery().is_not(None)

    def _compared(self, *conditions: str) -> Sequence[str]:
        """Return the names of the columns that `by_row` compares."""
        table = self.model.__table__
        parts = (part for condition in self.by_row(self.model, *conditions) for part in visitors.iterate(condition))
        return sorted({part.key for part in parts if isinstance(part, ColumnClause) and part.table == table})

    def _looked_up(self, view: View, all_rows: SortedRows, is_needed: FromClause, *conditions: str) -> Statement:
        """Find all matches, sort them, then check which ones the caller sees, until the page is full.

        `is_needed` is a table with one row or none. With a condition instead, SQLite would read the whole index first.
        """
        more = [self.model.__table__.c[name] for name in self.visible_by]
        rows = all_rows.rows.with_only_columns(all_rows.id, all_rows.parent, all_rows.by, *more)
        checked = rows.whereclause if self.reads_on else None
        rows = select(*rows.selected_columns) if self.reads_on else rows
        rows = rows.select_from(is_needed.join(self.model.__table__, true())).where(*self.by_index(*conditions))
        if self.imply_organization.isdisjoint(conditions):
            rows = rows.where(among(all_rows.parent, KEYS))
        found = rows.offset(NO_OFFSET).subquery("found")
        ordered = select(found).order_by(*all_rows.order_of(found.c[all_rows.by.key], found.c.id))
        if checked is not None:
            ordered = ordered.where(ClauseAdapter(found).traverse(checked))
        in_order = ordered.offset(NO_OFFSET).subquery("in_order")
        return self._matches(view, all_rows, in_order, in_order.c[all_rows.by.key])

    def _matches(
        self, view: View, all_rows: SortedRows, rows: FromClause, by: Expression, *conditions: str
    ) -> Statement:
        """Select the matches among `rows`, which are in the order of the list, up to the end of the page.

        SQLite reads a sorted subquery in its order, but would check all rows before it sorts them again.
        """
        row = aliased(self.model, rows)
        matches = (
            among(getattr(row, all_rows.parent.key), KEYS),
            self.visible(view, row),
            *self.by_row(row, *conditions),
        )
        found: Statement = select(row.id, by.label("sort_key")).where(*matches)
        return (found if view.is_sqlite else found.order_by(*all_rows.order_of(by, row.id))).limit(END)
