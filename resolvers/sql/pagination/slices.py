"""The SQL that cuts pages from lists: from one parent's, by ids, from those of many parents, and by an index.

The parameter `keys` has the keys of the parents. A page has `size` rows after `offset`; `end` is their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Select, String, bindparam, func, select, true, tuple_

from mainsheet.resolvers.sql.array_param import KEYS, among, among_these, as_array
from mainsheet.resolvers.sql.statement import Attribute, Expression, Statement

OFFSET = bindparam("offset", type_=BigInteger())
SIZE = bindparam("size", type_=BigInteger())
END = bindparam("end", type_=BigInteger())


def directed(descending: bool, *columns: Expression) -> Sequence[Expression]:
    return [column.desc() if descending else column.asc() for column in columns]


@dataclass(frozen=True)
class SortedRows:
    """The rows of all parents. `parent` refers to a row's parent; each parent's rows are sorted by `by` and `id`.

    `indexed` are the columns of the index that has this order: those two, or their equals in a joined table. It has no
    `id` if `by` is unique below a parent.
    """

    rows: Statement
    parent: Attribute
    by: Attribute
    id: Attribute
    descending: bool
    indexed: tuple[Attribute, ...]
    has_cursor: bool

    @property
    def order(self) -> Sequence[Expression]:
        return self.order_of(self.by, self.id)

    def after_cursor(self, *columns: Expression) -> Sequence[ColumnElement[bool]]:
        """Return the condition on these sort columns that a row comes after the cursor, if there is one."""
        if not self.has_cursor:
            return ()
        cursor = (bindparam("at_key", type_=self.by.type), bindparam("at_id", type_=String()))
        here, at = tuple_(*columns), tuple_(*cursor[: len(columns)])
        return (here < at if self.descending else here > at,)

    @property
    def index_order(self) -> Sequence[Expression]:
        return self.order_of(*self.indexed)

    def order_of(self, *columns: Expression) -> Sequence[Expression]:
        """Return the same order for other columns, such as those of a subquery."""
        return directed(self.descending, *columns)


def of_one(all_rows: SortedRows) -> Statement:
    """Select the page of the only parent."""
    rows = all_rows.rows.where(among(all_rows.parent, KEYS))
    return rows.order_by(*all_rows.index_order).limit(SIZE).offset(OFFSET)


def ids_of_one(all_rows: SortedRows) -> Select[str]:
    """Select the ids of the only parent's page: a database skips rows in the index, without reading them."""
    ids = all_rows.rows.with_only_columns(all_rows.id).where(among(all_rows.parent, KEYS))
    return ids.order_by(*all_rows.order).limit(SIZE).offset(OFFSET)


def by_ids(all_rows: SortedRows, ids: Select[str]) -> Statement:
    """Select the page that has these ids."""
    return all_rows.rows.where(among_these(all_rows.id, ids)).order_by(*all_rows.order)


def of_many(all_rows: SortedRows) -> Statement:
    """Number all rows of each parent and select those of the pages, each with its `parent_key`."""
    number = func.row_number().over(partition_by=all_rows.parent, order_by=all_rows.order).label("row_number")
    rows = all_rows.rows.where(among(all_rows.parent, KEYS))
    numbered = rows.add_columns(all_rows.parent.label("parent_key"), number).subquery("numbered")
    shown = [column for column in numbered.c if column.key != number.key]
    is_shown = (numbered.c.row_number > OFFSET) & (numbered.c.row_number <= END)
    return select(*shown).where(is_shown).order_by(numbered.c.row_number)


def by_index(all_rows: SortedRows) -> Statement:
    """Look up each parent's page in an index that has the order, and read no further.

    Each row has the index of its parent in `keys`, as `parent_index`: an integer is read faster than the parent's key.
    """
    keys = func.unnest(as_array(KEYS))
    wanted = keys.table_valued("key", with_ordinality="number", name="wanted").render_derived()
    own = all_rows.rows.where(all_rows.parent == wanted.c.key).order_by(*all_rows.index_order)
    page = own.limit(SIZE).offset(OFFSET).lateral("page")
    return select(*page.c, (wanted.c.number - 1).label("parent_index")).join_from(wanted, page, true())


def by_index_of_sqlite(all_rows: SortedRows, rows: Statement) -> Statement:
    """Do the same as `by_index` without LATERAL: look up the ids of each page, then `rows` with these ids."""
    wanted = func.json_each(KEYS).table_valued("key", "value", name="wanted")
    own = all_rows.rows.with_only_columns(all_rows.id).where(all_rows.parent == wanted.c.value)
    page = own.order_by(*all_rows.index_order).limit(SIZE).offset(OFFSET).correlate(wanted)
    rows = rows.add_columns(wanted.c.key.label("parent_index")).join(wanted, all_rows.id.in_(page))
    return rows.order_by(*all_rows.order)
