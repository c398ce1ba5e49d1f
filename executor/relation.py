from collections.abc import Awaitable, Hashable, Mapping, Sequence
from typing import Any, Final, Protocol

RELATION: Final = "relation"
READS: Final = "reads"  # in the `metadata` of a field: the attributes of its parent that its resolver reads


class Relation(Protocol):
    """A field that many parents ask together; its Strawberry field has it in `metadata`, as `RELATION`.

    `key` is the path of the attribute by which a parent's answer is found, or None where the field's arguments
    are the key. Relations with the same `batch` are asked together where they ask the same question.
    """

    @property
    def batch(self) -> Hashable: ...

    @property
    def key(self) -> str | None: ...

    def question(self, **arguments: Any) -> Any:
        """Turn the field's arguments into what the batch is asked, or into the key; never changed afterwards."""

    def answers(
        self, context: Any, keys: Sequence[Any], *question: Any, attributes: frozenset[str] | None = None
    ) -> Awaitable[Mapping[Any, Any]]:
        """Return each key's answer. A key without one has null.

        Of the answers no other attributes than these will be read, by nobody; None: any may be.

        The context must remember the answers: an execution that meets an error is done again by graphql-core, whose
        resolvers are to find them there.
        """
