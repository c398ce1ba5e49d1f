from collections.abc import Awaitable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypedDict

RELATION: Final = "relation"
READS: Final = "reads"  # in the `metadata` of a field: the attributes of its parent that its resolver reads


Attributes: TypeAlias = frozenset[str | tuple[str, "Attributes"]] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Which fields ask a batch, each as its path of response keys, and how many relations lead to them."""

    level: int
    fields: tuple[tuple[str, ...], ...]


class Asked(TypedDict, total=False):
    """What a batch is asked beside keys and question: see `Relation.answers`."""

    attributes: Attributes
    alone: bool
    place: Place


class Relation(Protocol):
    """A field that many parents ask together; its Strawberry field has it in `metadata`, as `RELATION`.

    `key` is the path of the attribute by which a parent's answer is found, or None where the field's arguments
    are the key. Relations with the same `batch` are asked together where they ask the same question: where they have a
    key, they make the same question of the same arguments.
    """

    @property
    def batch(self) -> Hashable: ...

    @property
    def key(self) -> str | None: ...

    @property
    def join(self) -> str | None:
        """The attribute in which the parent may hold the answer already, if its own relation can join it."""

    @property
    def joins(self) -> frozenset[str]:
        """The attributes that the batch can add to its answers, with dots where one is inside another."""

    @property
    def is_one_statement(self) -> bool:
        """Whether the batch asks the database once, so that it needs no snapshot where nothing else is asked."""

    def question(self, **arguments: Any) -> Any:
        """Turn the field's arguments into what the batch is asked, or into the key; never changed afterwards."""

    def answers(
        self,
        context: Any,
        keys: Sequence[Any],
        *question: Any,
        attributes: Attributes = None,
        alone: bool = False,
        place: Place | None = None,
    ) -> Awaitable[Mapping[Any, Any]]:
        """Return each key's answer. A key without one has null.

        Of the answers no other attributes than these will be read, by nobody; None: any may be. A pair is an
        attribute to join, with its own attributes. `alone`: nothing else is asked in this operation. `place`: the
        fields that ask, for a trace.

        The context must remember the answers, and what was raised instead: an execution that meets an error asks
        again, and may be done again by graphql-core, whose resolvers are to find the answers there.
        """
