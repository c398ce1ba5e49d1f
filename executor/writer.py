from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INDENT = "    "


class Writer:
    """Collects Python source and the objects that it refers to by name."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._lines: list[str] = []
        self._functions: list[str] = []
        self._depth = 0
        self._scope = 1  # the depth of a function's lines
        self._count = 0
        self._known: dict[int, str] = {}

    def fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, prefix: str, value: Any) -> str:
        """Return the name by which the source refers to the object."""
        if id(value) not in self._known:
            name = self._known[id(value)] = self.fresh(f"{prefix}_")
            self.names[name] = value  # a reference, so that the id is not reused
        return self._known[id(value)]

    def line(self, text: str) -> None:
        self._lines.append(INDENT * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    @contextmanager
    def function(self, head: str, *, is_scope: bool = False) -> Iterator[None]:
        """Write a function inside the current scope, before all of its other lines.

        The source's function is a scope. If this one `is_scope`, functions that are written meanwhile are inside it.
        """
        lines, functions, depth, scope = self._lines, self._functions, self._depth, self._scope
        self._lines, self._depth = [], scope
        if is_scope:
            self._functions, self._scope = [], scope + 1
        with self.block(head):
            yield
        if is_scope:
            self._lines[1:1] = self._functions
        functions += self._lines
        self._lines, self._functions, self._depth, self._scope = lines, functions, depth, scope

    @property
    def source(self) -> str:
        """The source: its first line is the head of a function."""
        return "\n".join([*self._lines[:1], *self._functions, *self._lines[1:], ""])
