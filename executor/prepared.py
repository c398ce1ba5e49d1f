"""A prepared operation: the variables that decide its plan, its size, and its compiled programs."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    print_ast,
)

from mainsheet.executor.introspection import fragments, is_introspection
from mainsheet.executor.variables import Variables

if TYPE_CHECKING:
    from mainsheet.executor.program import Program

CONDITIONS = {"skip", "include"}  # the directives that compiled code supports
MOST_PROGRAMS = 16  # of one operation: each variable in a condition doubles the number of possible plans
CEILING = 10**6  # fragments that double at each level could reach any number


@dataclass(frozen=True)
class Extent:
    """The number of fields of a selection set, including fragments, its directives, and the variables in those."""

    fields: int = 0
    deciding: frozenset[str] = frozenset()
    directives: frozenset[str] = frozenset()

    def __add__(self, other: "Extent") -> "Extent":
        fields = min(self.fields + other.fields, CEILING)
        return Extent(fields, self.deciding | other.deciding, self.directives | other.directives)


@dataclass(eq=False)
class Prepared:
    """An operation of a validated document with its programs. It holds nothing of a request.

    There is a program for each executor and each combination of values of the variables in conditions. The least
    recently used one is dropped if there are too many. `grew` is called with the bytes by which the programs grew.
    """

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    grew: Callable[[int], None] = lambda _: None
    variables: Variables = field(init=False)
    extent: Extent = field(init=False)
    deciding: tuple[str, ...] = field(init=False)
    is_introspection: bool = field(init=False)
    is_plain: bool = field(init=False)  # has no directives but conditions, and no fragments with variables
    _programs: "OrderedDict[Hashable, Program]" = field(default_factory=OrderedDict, init=False)

    def __post_init__(self) -> None:
        self.variables = Variables(self.schema, self.node.variable_definitions or ())
        self.extent = _Measuring(self.document).extent(self.node.selection_set)
        self.is_introspection = is_introspection(self.document, self.node)
        takes = any(each.variable_definitions for each in fragments(self.document).values())
        odd = takes or self.node.directives or self.extent.directives - CONDITIONS or self._has_odd_conditions()
        self.is_plain = not odd
        self.deciding = tuple(sorted(self.extent.deciding)) if self.is_plain else ()

    def _has_odd_conditions(self) -> bool:
        """Return whether a condition depends on a variable that isn't Boolean: the document wasn't validated."""
        types = {each.variable.name.value: each.type for each in self.node.variable_definitions or ()}
        return any(print_ast(types[name]).rstrip("!") != "Boolean" for name in self.extent.deciding if name in types)

    @property
    def programs(self) -> int:
        return len(self._programs)

    def program(self, key: Hashable) -> "Program | None":
        found = self._programs.get(key)
        if found is not None and len(self._programs) > 1:
            with suppress(KeyError):  # another thread has dropped it since
                self._programs.move_to_end(key)
        return found

    def keep(self, key: Hashable, program: "Program") -> "Program":
        """Store a program and return it, or return the one that was stored in the meantime."""
        if key in self._programs:
            return self._programs[key]
        self._programs[key] = program
        change = program.weight
        while len(self._programs) > MOST_PROGRAMS:
            change -= self._programs.popitem(last=False)[1].weight
        self.grew(change)
        return program


class _Measuring:
    """Measures each fragment once, so that the time grows with the document and not with its expansion."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = fragments(document)
        self._known: dict[str, Extent] = {}

    def extent(self, selections: SelectionSetNode) -> Extent:
        return sum((self._selection(each) for each in selections.selections), Extent())

    def _selection(self, node: SelectionNode) -> Extent:
        directives = node.directives or ()
        names = frozenset(each.name.value for each in directives)
        own = Extent(isinstance(node, FieldNode), frozenset(_deciding(directives)), names)
        if isinstance(node, FragmentSpreadNode):
            return own + self._fragment(node.name.value)
        below: SelectionSetNode | None = getattr(node, "selection_set", None)
        return own + self.extent(below) if below else own

    def _fragment(self, name: str) -> Extent:
        if name not in self._known:
            self._known[name] = Extent()
            self._known[name] = self.extent(self._fragments[name].selection_set)
        return self._known[name]


def _deciding(directives: Iterable[DirectiveNode]) -> Iterator[str]:
    for directive in directives:
        if directive.name.value in CONDITIONS:
            yield from _variables(directive)


def _variables(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value
