"""Code that both halves of the source use: reading values, iterating over lists, branching by type."""

from collections.abc import Callable, Hashable

from mainsheet.executor.shape import Abstract, Attribute, Call, Field, Joined, ListOf, Object, Shape, TypeName
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


def by_type(
    write: Writer,
    shape: Abstract,
    name: str,
    code_of: Callable[[Object], Hashable],
    write_one: Callable[[Object, str | None], None],
) -> None:
    """Write a branch for each possible type of a value. `name` is the variable that has the type's name.

    Types whose `code_of` is equal share a branch: most of an interface's, if only its own fields are selected.
    `write_one` gets an object, and the expression for the name of its type if it stands for several.
    """
    alike: dict[Hashable, list[str]] = {}
    for type_name, each in shape.objects.items():
        alike.setdefault(code_of(each), []).append(type_name)
    word = "if"
    for names in alike.values():
        own_name = None
        if len(names) == 1:
            condition = f"{name} == {names[0]!r}"
        else:
            known = write.constant("types", {each: each for each in names})
            condition, own_name = f"{name} in {known}", f"{known}[{name}]"
        with write.block(f"{word} {condition}:"):
            write_one(shape.objects[names[0]], own_name)
        word = "elif"
    with write.block("else:"):
        write.line(f"not_one_of_these({name})")


def building_code_of(shape: Object) -> Hashable:
    """Return what is equal for objects of several types that are built by the same code, but for their types' names."""
    if shape.is_type_of:
        return shape
    entries = [(key, _reading_code_of(field), _code_of(field.shape)) for key, field in shape.fields.items()]
    return shape.nullable, *entries


def _code_of(shape: Shape) -> Hashable:
    match shape:
        case ListOf(nullable, item):
            return nullable, _code_of(item)
        case Object():
            names = tuple(field.source.name for field in shape.fields.values() if isinstance(field.source, TypeName))
            return building_code_of(shape), names
    return shape


def _reading_code_of(field: Field) -> Hashable:
    """Return what is equal for fields that are read by the same code. Any other field is equal to itself only."""
    match field.source:
        case Attribute(name):
            return Attribute, name
        case TypeName():
            return TypeName
        case Call(function, takes_self, names, None):
            return function, takes_self, *names
    return field
