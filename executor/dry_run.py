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
class Place:
    """Whether several parents may ask for a field; and the relation whose answers they are, if they are just these."""

    is_many: bool
    parents: Field | None


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
        places = dict(_places(self.shape, None, is_many=False))
        answers: dict[Field, Mapping[Any, Any]] = {}
        for group in self.unit.loading.groups:
            link = link_of(group.fields[0])
            keys = [key for field in group.fields for key in self._keys(field, places[field], answers)]
            question = [link.arguments(self.variables)] if link.arguments and link.relation.key else []
            asked = self.unit.loading.asked(group)
            # A batch that fails for lack of a row or attribute has sent all statements that it could.
            with suppress(LookupError, AttributeError):
                found = await link.relation.answers(context, list(dict.fromkeys(keys)), *question, **asked)
                answers |= dict.fromkeys(group.fields, found)
            yield group

    def _keys(self, field: Field, place: Place, answers: Mapping[Field, Mapping[Any, Any]]) -> Iterator[Any]:
        link = link_of(field)
        if link.relation.key is None:
            if link.arguments:
                yield link.arguments(self.variables)
            return
        parents = answers.get(place.parents, {}).values() if place.parents else ()
        known = [attrgetter(link.relation.key)(parent) for parent in parents if parent is not None]
        yield from known or [f"{field.name} {id(field)} {number}" for number in range(1 + place.is_many)]


def _places(shape: Shape, parents: Field | None, *, is_many: bool) -> Iterator[tuple[Field, Place]]:
    match shape:
        case ListOf():
            yield from _places(shape.item, None, is_many=True)
        case Abstract():
            for each in shape.objects.values():
                yield from _places(each, parents, is_many=is_many)
        case Object():
            for field in shape.fields.values():
                is_link = isinstance(field.source, Link)
                if is_link:
                    yield field, Place(is_many, parents)
                yield from _places(field.shape, field if is_link else None, is_many=is_many)
