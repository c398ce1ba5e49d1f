"""How a page is cut from a list in SQL: of one parent, of one by ids, of many at once, of many by an index.

Parameters are `keys`, the parents', and of each one's list `size` rows after `offset`; `end` is their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Select, bindparam, func, select, true

from mainsheet.resolvers.sql.array_param import KEYS, among, among_these
from mainsheet.resolvers.sql.statement import Attribute, Expression, Statement

OFFSET = bindparam("offset", type_=BigInteger())
SIZE = bindparam("size", type_=BigInteger())
END = bindparam("end", type_=BigInteger())


@dataclass(frozen=True)
class SortedRows:
    """The rows of all parents; `parent` says whose a row is, those of one are sorted by `by` and `id`."""

    rows: Statement
    parent: Attribute
    by: Attribute
    id: Attribute
    is_down: bool

    @property
    def order(self) -> Sequence[Expression]:
        return self.sorted(self.by, self.id)

    def sorted(self, *columns: Expression) -> Sequence[Expression]:
        """Say the order in the terms of other columns."""
        return [column.desc() if self.is_down else column.asc() for column in columns]


def of_one(whole: SortedRows) -> Statement:
    """Cut the page of the only parent."""
    return whole.rows.where(among(whole.parent, KEYS)).order_by(*whole.order).limit(SIZE).offset(OFFSET)


def ids_of_one(whole: SortedRows) -> Select[str]:
    """Select the page's ids: to skip rows, a database needs no more of them than an index has."""
    ids = whole.rows.with_only_columns(whole.id).where(among(whole.parent, KEYS))
    return ids.order_by(*whole.order).limit(SIZE).offset(OFFSET)


def by_ids(whole: SortedRows, ids: Select[str]) -> Statement:
    """Read the page that has these ids."""
    return whole.rows.where(among_these(whole.id, ids)).order_by(*whole.order)


def of_many(whole: SortedRows) -> Statement:
    """Number each parent's rows, all of them, and take those of the page; each says whose it is as `parent_key`."""
    position = func.row_number().over(partition_by=whole.parent, order_by=whole.order).label("position")
    rows = whole.rows.where(among(whole.parent, KEYS)).add_columns(whole.parent.label("parent_key"), position)
    numbered = rows.subquery("numbered")
    shown = [column for column in numbered.c if column.key != "position"]
    is_shown = (numbered.c.position > OFFSET) & (numbered.c.position <= END)
    return select(*shown).where(is_shown).order_by(numbered.c.position)


def by_index(whole: SortedRows) -> Statement:
    """Look each parent's page up, without reading on; the index gives the order of `whole`.

    A row says where its parent is among the keys, as `place`: a number is read faster than the parent's key.
    """
    wanted = func.unnest(KEYS).table_valued("key", with_ordinality="number", name="wanted").render_derived()
    own = whole.rows.where(whole.parent == wanted.c.key).order_by(*whole.order)
    page = own.limit(SIZE).offset(OFFSET).lateral("page")
    return select(*page.c, (wanted.c.number - 1).label("place")).join_from(wanted, page, true())


def by_index_of_sqlite(whole: SortedRows, rows: Statement) -> Statement:
    """Do what `by_index` does where there is no LATERAL: look the page's ids up, then `rows` that have them."""
    wanted = func.json_each(KEYS).table_valued("key", "value", name="wanted")
    own = whole.rows.with_only_columns(whole.id).where(whole.parent == wanted.c.value).order_by(*whole.order)
    page = own.limit(SIZE).offset(OFFSET).correlate(wanted)
    rows = rows.add_columns(wanted.c.key.label("place")).join(wanted, whole.id.in_(page))
    return rows.order_by(*whole.order)
