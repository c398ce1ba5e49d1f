"""Writes the code that coerces leaves."""

from dataclasses import dataclass
from datetime import datetime

from mainsheet.executor.leaves import Leaf
from mainsheet.executor.writer import Writer


@dataclass(frozen=True)
class Coercing:
    """Writes the code that coerces a value unless it is coerced already. Enums and times have their quick ways."""

    writer: Writer
    keeps_datetimes: bool
    believes_rows: bool

    def write(self, shape: Leaf, value: str) -> None:
        """Write the code for a value, given by its variable."""
        others = [f"{value} is not None"] if shape.nullable else []
        ways: dict[str, str] = {}
        if shape.enum is not None:
            members, names = (self.writer.constant(*each) for each in zip(("enum", "names"), shape.enum, strict=True))
            if issubclass(shape.enum[0], str):  # rows may hold a member's value for the member: they are equal
                if self.believes_rows and all(name == each for each, name in shape.enum[1].items()):
                    others.insert(0, f"{value}.__class__ is not str")
                else:
                    ways[f"{value}.__class__ is str"] = f"{names}[{value}]"
            ways[f"{value}.__class__ is {members}"] = f"{names}[{value}._value_]"
        elif shape.is_iso_8601:
            moment = self.writer.constant("class", datetime)
            if self.keeps_datetimes:
                others.insert(0, f"{value}.__class__ is not {moment}")
            else:
                ways[f"{value}.__class__ is {moment}"] = f"{value}.isoformat()"
        elif condition := shape.is_coerced(value):
            others.append(f"not ({condition})")
        ways[" and ".join(others) or "True"] = f"{self.writer.constant('coerce', shape.coerce)}({value})"
        word = "if"
        for condition, coerced in ways.items():
            with self.writer.block(f"{word} {condition}:"):
                self.writer.line(f"{value} = {coerced}")
            word = "elif"
