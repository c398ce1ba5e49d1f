"""Code that both halves of the source use: reading values, iterating over lists, branching by type."""

from collections.abc import Callable, Hashable

from mainsheet.executor.shape import Abstract, Attribute, Call, Field, Joined, Object
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

    Types whose `code_of` is equal share a branch. `write_one` gets an object, and the expression for the name of its
    type if it stands for several.
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
