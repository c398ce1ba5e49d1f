"""Reads the rows that a dry run would have left, after its rollback.

For each table that the dry run changed, a statement gets a common table expression with the table's name: the stored
rows with the changes applied. So a dry run holds no lock while its answer is read, and every list, count and relation
shows its changes. Changes that others commit between the rollback and the snapshot are shown, too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson
from sqlalchemy import (
    CTE,
    JSON,
    Column,
    ColumnElement,
    Dialect,
    ForeignKeyConstraint,
    FromClause,
    MetaData,
    Result,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    event,
    exists,
    func,
    inspect,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState

from mainsheet.models.base import Base


class Changed(NamedTuple):
    """A table, the columns that were updated, and whether rows were inserted or removed.

    A statement's text depends on nothing else. A column that wasn't updated is read from the table, by its indexes.
    `cascades` are the foreign keys to tables with removed rows: the database removes the rows that refer to these.
    """

    table: Table
    inserted: bool
    updated: tuple[str, ...]
    removed: bool
    cascades: tuple[ForeignKeyConstraint, ...] = ()


Shape: TypeAlias = tuple[Changed, ...]
NO_CHANGES: Shape = ()
KINDS = ("inserted", "updated", "removed")
MOST_RECORDED = 200  # rows of a bulk update: more would keep other work from the event loop for long
AS_RETURNED = {"populate_existing": True, "synchronize_session": False}  # the session's rows get what is returned
CHANGED_TABLES = "changed_tables"  # a compiler option: the names of the tables that a dry run changed


@dataclass(frozen=True)
class Overlay:
    """The changes of one transaction. `values` are the parameters of the common table expressions by name."""

    shape: Shape = NO_CHANGES
    values: Mapping[str, str] = field(default_factory=dict)


NOTHING = Overlay()


class Recorder:
    """Records which rows a session inserts, updates and deletes.

    Bulk updates are recorded, too, unless they change too many rows. Other bulk statements aren't, unless they remove
    rows that the session has: a command with a dry run must insert and remove the rows that its answer can reach by its
    session.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._inserted: dict[Base, None] = {}
        self._updated: dict[Base, set[str]] = {}
        self._removed: dict[Base, None] = {}
        self._dialect: Dialect = session.get_bind().dialect
        event.listen(session.sync_session, "pending_to_persistent", lambda _, row: self._inserted.setdefault(row))
        event.listen(session.sync_session, "persistent_to_deleted", lambda _, row: self._removed.setdefault(row))
        event.listen(session.sync_session, "before_flush", self._record_updates)
        event.listen(session.sync_session, "do_orm_execute", self._record_bulk_update)

    def overlay(self) -> Overlay:
        """Return the changes up to the last flush."""
        inserted = [row for row in self._inserted if row not in self._removed]
        updated = [row for row in self._updated if row not in self._inserted and row not in self._removed]
        removed = [row for row in self._removed if row not in self._inserted]
        shape: list[Changed] = []
        values: dict[str, str] = {}
        cascades = _cascades({_table(row) for row in removed})
        for table in dict.fromkeys([*map(_table, (*inserted, *updated, *removed)), *cascades]):
            own = [[row for row in rows if _table(row) is table] for rows in (inserted, updated, removed)]
            columns = {name for row in own[1] for name in self._updated[row]}
            keys = tuple(cascades.get(table, ()))
            shape.append(Changed(table, bool(own[0]), tuple(sorted(columns)), bool(own[2]), keys))
            values |= {_parameter(table, kind): self._json(rows) for kind, rows in zip(KINDS, own, strict=True) if rows}
        return Overlay(tuple(shape), values)

    def _record_updates(self, session: Any, *_: Any) -> None:
        for row in session.dirty:
            state: Any = inspect(row)
            changed = {
                each.columns[0].name for each in state.mapper.column_attrs if state.attrs[each.key].history.added
            }
            if changed:
                self._updated.setdefault(row, set()).update(changed)

    def _record_bulk_update(self, execution: ORMExecuteState) -> Result[Any] | None:
        """Run an update of all rows that match a condition. Record the rows and the columns that it changes."""
        statement = execution.statement
        if not (isinstance(statement, Update) and execution.bind_mapper and statement.whereclause is not None):
            return None
        entity, columns = execution.bind_mapper.entity, execution.bind_mapper.column_attrs
        keys = [each.key for each in columns if each.columns[0].primary_key]
        matching = select(*(each.columns[0] for each in columns)).where(statement.whereclause).limit(MOST_RECORDED + 1)
        rows = execution.session.execute(matching, execution.parameters).all()
        if len(rows) > MOST_RECORDED:
            return None
        before = {tuple(getattr(row, key) for key in keys): row for row in rows}
        returned = execution.invoke_statement(statement.returning(entity), execution_options=AS_RETURNED).freeze()
        for row in returned().scalars():
            old = before.get(tuple(getattr(row, key) for key in keys))
            changed = (each for each in columns if old is None or getattr(row, each.key) != getattr(old, each.key))
            self._updated.setdefault(row, set()).update(each.columns[0].name for each in changed)
        return returned()

    def _json(self, rows: Sequence[Base]) -> str:
        return orjson.dumps([dict(self._stored(row)) for row in rows]).decode()

    def _stored(self, row: Base) -> Iterator[tuple[str, Any]]:
        """Yield each column as the database stores it. JSON is nested JSON on PostgreSQL and a text on SQLite."""
        state: Any = inspect(row)
        for each in state.mapper.column_attrs:
            column, value = each.columns[0], state.dict.get(each.key)
            is_nested = isinstance(column.type, JSON) and self._dialect.name == "postgresql"
            process = None if is_nested else column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
            yield column.name, process(value) if process else value


def _table(row: Base) -> Table:
    table: Any = row.__table__
    return table  # type: ignore[no-any-return]  # declared as any selectable


def _cascades(removed: Collection[Table]) -> Mapping[Table, Sequence[ForeignKeyConstraint]]:
    """Return, by table, the foreign keys by which a database removes its rows together with rows of these tables."""
    found: dict[Table, list[ForeignKeyConstraint]] = {}
    for table in Base.metadata.tables.values() if removed else ():
        for key in table.foreign_key_constraints:
            if key.ondelete == "CASCADE" and key.referred_table in removed:
                found.setdefault(table, []).append(key)
    return found


def overlaid(changed: Changed, dialect: Dialect) -> CTE:
    """Return the table's rows after the changes, under the table's name.

    A part that isn't needed is left out, so that indexes can be used as for the table itself.
    """
    # Inside the expression, its name refers to the table on PostgreSQL, but to the expression itself on SQLite.
    table = changed.table
    stored = (table.to_metadata(MetaData(), schema="main") if dialect.name == "sqlite" else table).alias("stored")
    rows: Any = select(*stored.c)
    if changed.updated:
        updated = _records(table, "updated", dialect)
        columns = [_updated(column, updated) if column.name in changed.updated else column for column in stored.c]
        rows = select(*columns).select_from(stored.outerjoin(updated, _same(stored, updated)))
    if changed.removed:
        rows = rows.where(~exists().where(_same(stored, _records(table, "removed", dialect))))
    for key in changed.cascades:
        rows = rows.where(~exists().where(_refers(stored, key, _records(key.referred_table, "removed", dialect))))
    if changed.inserted:
        rows = union_all(rows, select(*_records(table, "inserted", dialect).c))
    cte: CTE = rows.cte(table.name)
    return cte.prefix_with("NOT MATERIALIZED", dialect="postgresql")


def _updated(column: Column[Any], updated: FromClause) -> ColumnElement[Any]:
    (key, *_) = column.table.primary_key
    return case((updated.c[key.name].is_(None), column), else_=updated.c[column.name]).label(column.name)


def _same(stored: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(*(column == other.c[column.name] for column in stored.primary_key))


def _refers(stored: FromClause, key: ForeignKeyConstraint, other: FromClause) -> ColumnElement[bool]:
    return and_(*(stored.c[each.parent.name] == other.c[each.column.name] for each in key.elements))


def _records(table: Table, kind: str, dialect: Dialect) -> FromClause:
    """Return the changed rows as a table, read from a parameter."""
    parameter = bindparam(_parameter(table, kind), type_=Text())
    if dialect.name == "postgresql":
        row: ColumnElement[Any] = literal_column(f"CAST(NULL AS {table.name})")
        records = func.jsonb_populate_recordset(row, cast(parameter, JSONB))
        rows = select(*records.table_valued(*(each.name for each in table.c)).c)
        # OFFSET prevents merging: to join with a function, PostgreSQL would read all stored rows.
        return rows.offset(literal_column("0")).subquery(kind)
    each = func.json_each(parameter).table_valued("value")
    values = [func.json_extract(each.c.value, literal_column(f"'$.{one.name}'")).label(one.name) for one in table.c]
    return select(*values).subquery(kind)


def _parameter(table: Table, kind: str) -> str:
    return f"{table.name}_{kind}"
