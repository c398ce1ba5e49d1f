"""Counts the minimum size of a response in JSON and its values, in the source."""

from dataclasses import dataclass, field

from mainsheet.executor.bounds import BYTE, ENTRY, NULL, TEXT
from mainsheet.executor.leaves import TEXTS, Leaf
from mainsheet.executor.writer import Writer


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
            self.own.append(f"({NULL} if {value} is None else len({value}))" if shape.nullable else f"len({value})")
        elif shape.size is not None:
            self.known += min(shape.size, NULL) if shape.nullable else shape.size
        else:
            self.own.append(f"size_of({value})")

    def write(self, write: Writer) -> None:
        """Write the addition: `n` counts what is built, `c` what is referred to, both as `bounds.BYTE` says."""
        known = str(self.known * BYTE + self.values)
        write.line(f"n += {known} + {BYTE} * ({' + '.join(self.own)})" if self.own else f"n += {known}")
        if self.shared:
            write.line(f"c += {' + '.join(self.shared)}")
