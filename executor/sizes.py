"""Counts the minimum size of a response in JSON and its values, in the source."""

from dataclasses import dataclass, field

from graphql import GraphQLID, GraphQLLeafType, GraphQLScalarType, GraphQLString

from mainsheet.executor.bounds import BYTE, ENTRY, NULL, NUMBER, TEXT
from mainsheet.executor.leaves import enum_names, is_coerced, is_iso_8601
from mainsheet.executor.shape import Leaf
from mainsheet.executor.writer import Writer

MOMENT = len('"2026-01-01T00:00:00+00:00"')
TEXTS = {GraphQLString.name, GraphQLID.name}


@dataclass
class Sizes:
    """Sums of constants, known when the source is written, and of expressions."""

    values: int = 0
    known: int = 0  # bytes
    own: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)  # of objects that are built once for several parents

    def entry(self, key: str) -> None:
        self.known += ENTRY + len(key)
        self.values += 1

    def leaf(self, shape: Leaf, value: str) -> None:
        """Add a completed value, given by its variable."""
        if shape.type.name in TEXTS:
            self.known += 0 if shape.nullable else TEXT
            self.own.append(f"len({value} or 'null')" if shape.nullable else f"len({value})")
        elif (known := _known(shape.type)) is not None:
            self.known += min(known, NULL) if shape.nullable else known
        else:
            self.own.append(f"size_of({value})")

    def write(self, write: Writer) -> None:
        """Write the addition: `n` counts what is built, `c` what is referred to, both as `bounds.BYTE` says."""
        known = str(self.known * BYTE + self.values)
        write.line(f"n += {known} + {BYTE} * ({' + '.join(self.own)})" if self.own else f"n += {known}")
        if self.shared:
            write.line(f"c += {' + '.join(self.shared)}")


def _known(type_: GraphQLLeafType) -> int | None:
    if is_iso_8601(type_):
        return MOMENT
    if (enum := enum_names(type_)) is not None:
        return TEXT + min(map(len, enum[1].values()))
    if isinstance(type_, GraphQLScalarType) and is_coerced(type_, ""):
        return NUMBER
    return None
