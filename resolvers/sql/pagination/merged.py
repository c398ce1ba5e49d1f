"""The page of a list whose rows have one of some values in a column: an index has those of each value in order.

The first rows of each value are read, up to the end of the page, and merged. With a condition on the column instead, a
database would read the list until the page is full: all of it, if no row has one of the values.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select, true
from sqlalchemy.orm import aliased

from mainsheet.resolvers.sql.array_param import KEYS, TextArray, among
from mainsheet.resolvers.sql.pagination.slices import END, OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.statement import Attribute, Statement, View


@dataclass(frozen=True)
class MergedByValue:
    """The ids of a page. `condition` names the parameter with the values of `column`; `rows` builds the list."""

    condition: str
    column: Attribute
    rows: Callable[..., Statement]

    def page_ids(self, view: View, all_rows: SortedRows, *conditions: str) -> Select[str]:
        """Select the ids of the page. `all_rows` has the order and the cursor."""
        values = bindparam(self.condition, type_=TextArray())
        array = (func.json_each if view.is_sqlite else func.unnest)(values).table_valued("value", name="given")
        given = array if view.is_sqlite else array.render_derived()
        wanted = select(given.c.value).distinct().subquery("wanted")
        others = [each for each in conditions if each != self.condition]
        is_own = (among(all_rows.parent, KEYS), self.column == wanted.c.value)
        rows = self.rows(view, *others).where(*is_own, *all_rows.after_cursor(all_rows.by, all_rows.id))
        first = rows.order_by(*all_rows.order).limit(END).correlate(wanted)
        if view.is_sqlite:  # it has no LATERAL
            found = aliased(all_rows.id.class_)
            by, id_ = getattr(found, all_rows.by.key), getattr(found, all_rows.id.key)
            ids = select(id_).select_from(wanted).join(found, id_.in_(first.with_only_columns(all_rows.id)))
        else:
            own = first.with_only_columns(all_rows.by, all_rows.id).lateral("own")
            by, id_ = own.c[all_rows.by.key], own.c[all_rows.id.key]
            ids = select(id_).join_from(wanted, own, true())
        return ids.order_by(*all_rows.order_of(by, id_)).limit(SIZE).offset(OFFSET)
