"""One operation, prepared once: what decides its plan, how large it is, and the programs made for it so far."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from mainsheet.executor.introspection import is_introspection
from mainsheet.executor.variables import Variables

if TYPE_CHECKING:
    from mainsheet.executor.program import Program

DECIDING = {"skip", "include", "defer"}
MOST_PROGRAMS = 16  # of one operation: a variable that decides doubles what there may be
CEILING = 10**6  # fragments that double at each level reach any number


@dataclass(frozen=True)
class Extent:
    """The fields of a selection set, those of its fragments included, and the variables that decide about them."""

    fields: int = 0
    deciding: frozenset[str] = frozenset()

    def __add__(self, other: "Extent") -> "Extent":
        return Extent(min(self.fields + other.fields, CEILING), self.deciding | other.deciding)


@dataclass(eq=False)
class Prepared:
    """An operation of a validated document, with its programs; it holds nothing of any request.

    A program belongs to an executor and to the values of the variables that decide what is selected. The least
    recently used one is dropped when there are too many. `grew` hears by how many bytes the programs grew.
    """

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    grew: Callable[[int], None] = lambda _: None
    variables: Variables = field(init=False)
    extent: Extent = field(init=False)
    deciding: tuple[str, ...] = field(init=False)
    is_introspection: bool = field(init=False)
    _programs: "OrderedDict[Hashable, Program]" = field(default_factory=OrderedDict, init=False)

    def __post_init__(self) -> None:
        self.variables = Variables(self.schema, self.node.variable_definitions or ())
        self.extent = _Measuring(self.document).extent(self.node.selection_set)
        self.deciding = tuple(sorted(self.extent.deciding))
        self.is_introspection = is_introspection(self.document, self.node)

    @property
    def programs(self) -> int:
        return len(self._programs)

    def program(self, key: Hashable) -> "Program | None":
        found = self._programs.get(key)
        if found is not None and len(self._programs) > 1:
            self._programs.move_to_end(key)
        return found

    def keep(self, key: Hashable, program: "Program") -> "Program":
        """Keep a program and return it, or the one that was kept meanwhile."""
        if key in self._programs:
            return self._programs[key]
        self._programs[key] = program
        change = program.weight
        while len(self._programs) > MOST_PROGRAMS:
            change -= self._programs.popitem(last=False)[1].weight
        self.grew(change)
        return program


class _Measuring:
    """Measures each fragment once, so that the work grows with the document and not with what it expands to."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._known: dict[str, Extent] = {}

    def extent(self, selections: SelectionSetNode) -> Extent:
        return sum((self._selection(each) for each in selections.selections), Extent())

    def _selection(self, node: SelectionNode) -> Extent:
        own = Extent(isinstance(node, FieldNode), frozenset(_deciding(node)))
        if isinstance(node, FragmentSpreadNode):
            return own + self._fragment(node.name.value)
        below: SelectionSetNode | None = getattr(node, "selection_set", None)
        return own + self.extent(below) if below else own

    def _fragment(self, name: str) -> Extent:
        if name not in self._known:
            self._known[name] = Extent()
            self._known[name] = self.extent(self._fragments[name].selection_set)
        return self._known[name]


def _deciding(node: SelectionNode) -> Iterator[str]:
    for directive in node.directives or ():
        if directive.name.value in DECIDING:
            yield from _variables(directive)


def _variables(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value
