"""Calls the batches of an operation without data, to show which statements they would send."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import VariableValues

from mainsheet.executor.compiler import Unit
from mainsheet.executor.loading import Group
from mainsheet.executor.shape import Abstract, Field, Link, ListOf, Object, Shape, link_of


@dataclass(frozen=True)
class Parents:
    """Whether a field may have several parents; and the relation whose results they are, if all of them are."""

    are_many: bool
    relation: Field | None


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A compiled query whose batches can be called one after the other with keys that don't exist."""

    shape: Shape
    unit: Unit
    variables: VariableValues

    async def asked(self, context: Any) -> AsyncIterator[Group]:
        """Call each batch as the source does, and yield its group afterwards.

        A batch gets two keys if there may be several, else one. Below a non-null result the keys are taken from it: a
        page without rows is still a page.
        """
        parents = dict(_parents(self.shape, None, are_many=False))
        answers: dict[Field, Mapping[Any, Any]] = {}
        for group in self.unit.loading.groups:
            link = link_of(group.fields[0])
            keys = [key for field in group.fields for key in self._keys(field, parents[field], answers)]
            question = [link.arguments(self.variables)] if link.arguments and link.relation.key else []
            asked = self.unit.loading.asked(group)
            # A batch that fails for lack of a row or attribute has sent all statements that it could.
            with suppress(LookupError, AttributeError):
                found = await link.relation.answers(context, list(dict.fromkeys(keys)), *question, **asked)
                answers |= dict.fromkeys(group.fields, found)
            yield group

    def _keys(self, field: Field, parents: Parents, answers: Mapping[Field, Mapping[Any, Any]]) -> Iterator[Any]:
        link = link_of(field)
        if link.relation.key is None:
            if link.arguments:
                yield link.arguments(self.variables)
            return
        rows = answers.get(parents.relation, {}).values() if parents.relation else ()
        known = [attrgetter(link.relation.key)(row) for row in rows if row is not None]
        yield from known or [f"{field.name} {id(field)} {number}" for number in range(1 + parents.are_many)]


def _parents(shape: Shape, relation: Field | None, *, are_many: bool) -> Iterator[tuple[Field, Parents]]:
    match shape:
        case ListOf():
            yield from _parents(shape.item, None, are_many=True)
        case Abstract():
            for each in shape.distinct:
                yield from _parents(each, relation, are_many=are_many)
        case Object():
            for field in shape.fields.values():
                is_link = isinstance(field.source, Link)
                if is_link:
                    yield field, Parents(are_many, relation)
                yield from _parents(field.shape, field if is_link else None, are_many=are_many)
