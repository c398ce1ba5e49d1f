"""Code that both halves of the source use: reading values, iterating over lists, branching by type."""

from collections.abc import Callable, Hashable

from mainsheet.executor.shape import Abstract, Attribute, Call, Field, Joined, Leaf, Object
from mainsheet.executor.writer import Writer


def read(write: Writer, field: Field, parent: str) -> str:
    """Return the expression for a field's value before completion."""
    match field.source:
        case Attribute(name) | Joined(name):
            return f"{parent}.{name}"
        case Call(function, takes_self, names, arguments):
            given = [parent] * takes_self + [f"{name}={parent}" for name in names]
            if arguments:
                given.append(f"**{write.constant('arguments', arguments)}(variables)")
            return f"{write.constant('call', function)}({', '.join(given)})"
    raise AssertionError(field.source)


def items(value: str) -> str:
    """Return the expression for a copy of a list: others may change the list while the program waits."""
    return f"[*({value} if {value}.__class__ is list else again({value}))]"


def type_name(write: Writer, shape: Abstract, value: str) -> str:
    """Return the expression for the name of the value's type."""
    return f"{write.constant('type_of', shape.type_of)}({value})"


def by_type(write: Writer, shape: Abstract, name: str, write_one: Callable[[Object], None]) -> None:
    """Write a branch for each possible type of a value. `name` is the variable that has the type's name.

    Types that are read alike share a branch: most of an interface's, if only its own fields are selected.
    """
    alike: dict[Hashable, list[str]] = {}
    for type_name, each in shape.objects.items():
        alike.setdefault(_code_of(each), []).append(type_name)
    word = "if"
    for names in alike.values():
        is_one = f"== {names[0]!r}" if len(names) == 1 else f"in {write.constant('types', frozenset(names))}"
        with write.block(f"{word} {name} {is_one}:"):
            write_one(shape.objects[names[0]])
        word = "elif"
    with write.block("else:"):
        write.line(f"not_one_of_these({name})")


def _code_of(shape: Object) -> Hashable:
    """Return what is equal for objects with the same code: those with nothing but attributes, and others alone."""
    found: list[Hashable] = []
    for key, field in shape.fields.items():
        if not (isinstance(field.source, Attribute) and isinstance(field.shape, Leaf)):
            return shape
        found.append((key, field.source.name, field.shape.type, field.shape.nullable))
    return shape if shape.is_type_of else tuple(found)
