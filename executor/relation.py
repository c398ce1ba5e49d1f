from collections.abc import Awaitable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypedDict

RELATION: Final = "relation"
READS: Final = "reads"  # in the `metadata` of a field: the attributes of its parent that its resolver reads


Attributes: TypeAlias = frozenset[str | tuple[str, "Attributes"]] | None


@dataclass(frozen=True, slots=True)
class Place:
    """The fields that call a batch, as paths of response keys, and the number of relations above them."""

    level: int
    fields: tuple[tuple[str, ...], ...]


class Asked(TypedDict, total=False):
    """The arguments of a batch after keys and question. See `Relation.answers`."""

    attributes: Attributes
    alone: bool
    place: Place


class Relation(Protocol):
    """A field that is loaded for many parents at once. Its Strawberry field has it in `metadata`, as `RELATION`.

    `key` is the path of the parent's attribute that holds the key, or None if the field's arguments are the key.
    Relations with the same `batch` and equal questions share a call. If they have a `key`, equal arguments must give
    equal questions.
    """

    @property
    def batch(self) -> Hashable: ...

    @property
    def key(self) -> str | None: ...

    @property
    def join(self) -> str | None:
        """The attribute in which the parent may hold the result already, if the parent's relation can join it."""

    @property
    def joins(self) -> frozenset[str]:
        """The attributes that the batch can add to its results, with dots for nested ones."""

    @property
    def is_one_statement(self) -> bool:
        """Whether the batch sends one statement, so that it needs no snapshot if it is the only one."""

    def question(self, **arguments: Any) -> Any:
        """Convert the field's arguments to the batch's question, or to the key. The result must not be changed."""

    def answers(
        self,
        context: Any,
        keys: Sequence[Any],
        *question: Any,
        attributes: Attributes = None,
        alone: bool = False,
        place: Place | None = None,
    ) -> Awaitable[Mapping[Any, Any]]:
        """Return the result of each key. A key without a result is null.

        `attributes` are the only ones that will be read of the results, or None for any. A pair is an attribute to
        join, with its own attributes. `alone`: the operation calls no other batch. `place`: the fields that call, for
        traces.

        The context must remember results and exceptions: after an error the batch is called again, perhaps by
        graphql-core's resolvers, which must find them there.
        """
