"""Shapes: the tree that describes an operation's response. One is planned for each combination of conditions."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLAbstractType

from mainsheet.executor.arguments import Arguments
from mainsheet.executor.leaves import Leaf
from mainsheet.executor.relation import Attributes, Relation
from mainsheet.executor.resolver import Resolver


@dataclass(frozen=True, eq=False)
class ListOf:
    nullable: bool
    item: "Shape"


@dataclass(frozen=True, eq=False)
class Object:
    nullable: bool
    fields: Mapping[str, "Field"]
    is_type_of: Callable[[Any], Any] | None = None  # may read any attribute


@dataclass(frozen=True, eq=False)
class Abstract:
    """One of several object types. `type_of` returns the name of a value's type. Types with equal plans share one."""

    nullable: bool
    type: GraphQLAbstractType
    type_of: Callable[[Any], str]
    objects: Mapping[str, Object]

    @property
    def distinct(self) -> Iterable[Object]:
        return dict.fromkeys(self.objects.values())


Shape: TypeAlias = Leaf | ListOf | Object | Abstract


@dataclass(frozen=True, eq=False)
class TypeName:
    """The name of the type, or None if several types share the object: then it is what `Abstract.type_of` returns."""

    name: str | None


@dataclass(frozen=True, eq=False)
class Attribute:
    name: str


@dataclass(frozen=True, eq=False)
class Joined:
    """An attribute that the parent's batch adds: the result of a relation without a call of its own."""

    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """A function. It gets the parent as the first argument if it `takes_self`, and by each of the `names`."""

    function: Callable[..., Any]
    takes_self: bool
    names: Sequence[str]
    arguments: Arguments | None
    reads: frozenset[str] | None  # attributes of the parent, and of an answer that is the parent itself; None: any


@dataclass(frozen=True, eq=False)
class Link:
    relation: Relation
    arguments: Arguments | None


Source: TypeAlias = TypeName | Attribute | Joined | Call | Resolver | Link


@dataclass(frozen=True, eq=False)
class Field:
    name: str  # as `Type.field`, with one of the types that share it
    path: tuple[str, ...]  # the response keys from the root to the field
    source: Source
    shape: Shape
    nodes: Sequence[FieldNode]  # its nodes in the document


def _fields(shape: Shape) -> Iterator[Field]:
    """The fields of the objects that a value may be or contain."""
    match shape:
        case ListOf():
            yield from _fields(shape.item)
        case Object():
            yield from shape.fields.values()
        case Abstract():
            for each in shape.distinct:
                yield from _fields(each)


def links(shape: Shape) -> Iterator[Field]:
    """The fields below that are loaded by relations, with no other relation and no resolver between."""
    for field in _fields(shape):
        if isinstance(field.source, Link):
            yield field
        elif not isinstance(field.source, Resolver):
            yield from links(field.shape)


def with_resolvers(shape: Shape) -> set[Shape]:
    """Return this shape and those below it that have a resolver below them."""
    match shape:
        case ListOf():
            found = with_resolvers(shape.item)
        case Abstract():
            found = set().union(*map(with_resolvers, shape.distinct))
        case Object():
            found = set().union(*(with_resolvers(field.shape) for field in shape.fields.values()))
            if any(isinstance(field.source, Resolver) for field in shape.fields.values()):
                found.add(shape)
        case Leaf():
            return set()
    return {*found, shape} if found else found


def gathered(shape: Shape) -> Iterator[Field | ListOf | Abstract]:
    """Yield what is read before the next relations are loaded: fields, lists and types with relations below them."""
    if isinstance(shape, ListOf | Abstract) and asks(shape):
        yield shape
    match shape:
        case ListOf():
            yield from gathered(shape.item)
        case Object():
            for field in shape.fields.values():
                if not isinstance(field.source, Link | Resolver) and asks(field.shape):
                    yield field
                    yield from gathered(field.shape)
        case Abstract():
            for each in shape.distinct:
                yield from gathered(each)


def reads(shape: Shape, *, knows_types: bool = False) -> Attributes:
    """The attributes that are read of a value and of values nested in it, up to the next relation. None: any."""
    match shape:
        case ListOf():
            return reads(shape.item, knows_types=knows_types)
        case Object(is_type_of=None):
            return union(_reads_of(field) for field in shape.fields.values())
        case Object():
            return None
        case Abstract():
            return union(map(reads, shape.distinct)) if knows_types else None
    return frozenset()


def _reads_of(field: Field) -> Attributes:
    match field.source:
        case Attribute(name):
            return union((frozenset((name,)), reads(field.shape)))
        case Joined(name):
            return frozenset(((name, reads(field.shape)),))
        case Call(reads=named):
            return union((named, reads(field.shape, knows_types=named is not None)))
        case Link(relation=relation):
            return frozenset((relation.key or "").split("."))
        case Resolver():
            return None
    return frozenset()


def attributes(shape: Shape) -> dict[Hashable, Attributes]:
    """The attributes that are read of each batch's results: the context keeps results for the whole operation."""
    found: dict[Hashable, Attributes] = {}
    for field in all_links(shape):
        batch = link_of(field).relation.batch
        found[batch] = union((found.get(batch, frozenset()), reads(field.shape)))
    return found


def joins_are_asked(shape: Shape) -> bool:
    """Return whether each batch is asked for the attributes that it is to join. One asked for any joins none."""
    found = attributes(shape)
    return all(_are_asked(field.shape, found[link_of(field).relation.batch]) for field in all_links(shape))


def _are_asked(shape: Shape, asked: Attributes) -> bool:
    """Return whether all joins in a value are among these attributes."""
    return all(asked is not None and _are_asked(field.shape, reads(field.shape)) for field in _joined(shape))


def _joined(shape: Shape) -> Iterator[Field]:
    match shape:
        case ListOf():
            yield from _joined(shape.item)
        case Object():
            for field in shape.fields.values():
                if isinstance(field.source, Joined):
                    yield field
                elif not isinstance(field.source, Link):
                    yield from _joined(field.shape)


def all_links(shape: Shape) -> Iterator[Field]:
    """All fields below that are loaded by relations."""
    for field in _fields(shape):
        if isinstance(field.source, Link):
            yield field
        yield from all_links(field.shape)


def union(sets: Iterable[Attributes]) -> Attributes:
    found: frozenset[str | tuple[str, Attributes]] = frozenset()
    for each in sets:
        if each is None:
            return None
        found |= each
    return found


def link_of(field: Field) -> Link:
    assert isinstance(field.source, Link)  # noqa: S101 for the type checker: `links` yields no others
    return field.source


def is_leaf(shape: Shape) -> bool:
    """Return whether a value is a leaf, or a list of such values."""
    return is_leaf(shape.item) if isinstance(shape, ListOf) else isinstance(shape, Leaf)


def asks(shape: Shape) -> bool:
    return any(True for _ in links(shape))
