"""Code that both halves of the source use: reading values, iterating over lists, branching by type."""

from collections.abc import Callable

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


def by_type(write: Writer, shape: Abstract, name: str, write_one: Callable[[Object], None]) -> None:
    """Write a branch for each possible type of a value. `name` is the variable that has the type's name."""
    word = "if"
    for type_name, each in shape.objects.items():
        with write.block(f"{word} {name} == {type_name!r}:"):
            write_one(each)
        word = "elif"
    with write.block("else:"):
        write.line("raise TypeError('not a type of these')")
