"""A cache of prepared operations: parsed, validated, measured and compiled."""

import asyncio
import gc
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from sys import getsizeof
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    value_from_ast_untyped,
)

from mainsheet.executor import OperationCache, Prepared, Size, WorkerThread
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.server.errors import Code, InvalidOperation, timed_out
from mainsheet.server.operations.complexity import (
    Extent,
    Limits,
    cost_of,
    extent_of,
    field_names,
    fields_with_work,
    too_complex,
)
from mainsheet.server.operations.cost import Cost
from mainsheet.server.operations.documents import (
    MAX_VALIDATION_ERRORS,
    check,
    label,
    operation_of,
    parsed,
    unlink_tokens,
)

# Longer documents are prepared by the worker, and so are those with more errors: to find the name that was meant, each
# misspelled type or field is compared with all others, in up to a millisecond.
INLINE_CHARACTERS = 250
INLINE_ERRORS = 1
BYTES_A_TOKEN = 700  # of the document's tree and of what is derived from it; measured with tracemalloc, rounded up
COPIES = 4  # of a long text in it: the document's, the token's, the printed argument, the argument's value

Key = tuple[str, str | None]


@dataclass(frozen=True, eq=False)
class Operation:
    """A prepared operation. It holds nothing of a request."""

    prepared: Prepared
    extent: Extent
    cost: Cost
    does_work: bool  # CPU time that the size of its answer doesn't show
    limits: Limits
    defaults: Mapping[str, Any]
    size: Size

    @cached_property
    def kind(self) -> OperationType:
        return self.prepared.node.operation

    @cached_property
    def type(self) -> str:
        """Return `query`, `mutation` or `subscription`."""
        return self.kind.value

    @cached_property
    def name(self) -> str:
        return self.prepared.node.name.value if self.prepared.node.name else ""

    @cached_property
    def label(self) -> str:
        """Its name, or the names of its fields if it has none."""
        return label(self.prepared.node)

    def check(self, variables: Mapping[str, Any] | None) -> int:
        """Return the cost with these variables.

        Raises `InvalidOperation` if there are too many variable values, or if the cost is over the limit.
        """
        values = count_values(variables or {}, self.limits.values)
        cost = self.cost({**self.defaults, **(variables or {})}) if self.cost.terms else self.cost.constant
        if values <= self.limits.values and cost <= self.limits.cost:
            return cost
        if errors := [*too_complex({"values": values, "cost": cost}, self.limits, self.prepared.node)]:
            raise InvalidOperation(Code.QUERY_TOO_COMPLEX, errors)
        return cost


class OperationStore:
    """Keeps the most recently used operations, up to an estimated total size in bytes.

    Long documents, and those with several errors, are prepared by `worker`, so that the event loop isn't blocked.
    Concurrent requests with the same document share the work.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        capacity: int,
        worker: WorkerThread | None = None,
        timeout: float | None = None,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        self._schema = schema
        self._work = fields_with_work(schema)
        self._limits = limits
        self._worker = worker
        self._timeout = timeout
        self._instrumentation = instrumentation or Instrumentation()
        self._operations: OperationCache[Key, Operation] = OperationCache(capacity, dropped=self._forget_hash)
        self._hashed: dict[str, Key] = {}
        self._hashes: dict[Key, str] = {}

    def __len__(self) -> int:
        return len(self._operations)

    @property
    def size(self) -> int:
        """Return the estimated size of all operations in bytes."""
        return self._operations.bytes

    @property
    def limits(self) -> Limits:
        return self._limits

    def text_of(self, hash_: str) -> str | None:
        """Return the text of a document that was prepared with this hash, if it is still kept."""
        key = self._hashed.get(hash_)
        return key and key[0]

    async def get(
        self, text: str, name: str | None = None, hash_: str | None = None, turns: Sequence[Hashable] = ()
    ) -> Operation:
        """Return the document's operation of that name, or its only one. `text_of` finds the text by the hash then.

        `turns` are those of `WorkerThread.run`.

        Raises `InvalidOperation` if the document is invalid or too large, `RequestError` if preparing it takes too
        long.
        """
        key = text, name
        found = self._operations.get(key)
        if found is None:
            begun = time.perf_counter()
            made = await self._make(key, turns)
            self._instrumentation.parsed(time.perf_counter() - begun)
            found = self._operations.keep(key, made, made.size)
        if hash_:
            self._hashed[hash_], self._hashes[key] = key, hash_
            if key not in self._operations:  # it is too large, or the worker has just dropped it
                self._forget_hash(key)
        return found

    def is_new_and_long(self, text: str, name: str | None = None) -> bool:
        """Return whether `get` has to prepare a long document. Invalid ones aren't kept, so they are new each time."""
        return len(text) > INLINE_CHARACTERS and (text, name) not in self._operations

    async def _make(self, key: Key, turns: Sequence[Hashable]) -> Operation:
        if self._worker is None:
            return self._checked(key)
        if len(key[0]) <= INLINE_CHARACTERS:
            try:
                return self._checked(key, INLINE_ERRORS)
            except InvalidOperation as invalid:
                if len(invalid.errors) <= INLINE_ERRORS:
                    raise
        try:
            async with asyncio.timeout(self._timeout):
                return await self._worker.run(key, partial(self._prepare_in_worker, key), turns)
        except TimeoutError:
            message = f"The operation couldn't be prepared within {self._timeout:g} seconds."
            raise timed_out(message) from None

    def _prepare_in_worker(self, key: Key) -> Operation:
        """Prepare a document in the worker, and collect the garbage of its validation.

        The garbage holds the document in cycles. The next collection would free that of many documents at once, which
        blocked the event loop for a tenth of a second.
        """
        try:
            return self._checked(key)
        finally:
            gc.collect(1)

    def _checked(self, key: Key, max_errors: int = MAX_VALIDATION_ERRORS) -> Operation:
        try:
            return self._prepared(key, max_errors)
        except RecursionError:
            error = GraphQLError("The query is too complex: its fragments, or values, are nested too deeply.")
            raise InvalidOperation(Code.QUERY_TOO_COMPLEX, [error]) from None

    def _prepared(self, key: Key, max_errors: int) -> Operation:
        text, name = key
        document = parsed(text, self._limits.tokens)
        check(self._schema, document, self._limits, max_errors)
        node = operation_of(document, name)
        size = Size(self._operations, COPIES * getsizeof(text) + BYTES_A_TOKEN * unlink_tokens(document))
        return Operation(
            Prepared(self._schema, document, node, size.grow),
            extent_of(document, node),
            cost_of(self._schema, document, node),
            not self._work.isdisjoint(field_names(document)),
            self._limits,
            dict(_defaults(node)),
            size,
        )

    def _forget_hash(self, key: Key) -> None:
        hash_ = self._hashes.pop(key, "")
        if self._hashed.get(hash_) == key:  # not another operation of the same document
            self._hashed.pop(hash_, None)


def count_values(variables: Mapping[str, Any], most: int) -> int:
    """Count values, including those inside lists and objects, until there are more than `most`."""
    waiting: list[Any] = [variables]
    count = 0
    while waiting and count <= most:
        inside = waiting.pop()
        count += len(inside)
        values = inside.values() if isinstance(inside, dict) else inside
        waiting += [each for each in values if isinstance(each, dict | list)]
    return count


def _defaults(node: OperationDefinitionNode) -> Iterator[tuple[str, Any]]:
    for each in node.variable_definitions or ():
        if each.default_value:
            yield each.variable.name.value, value_from_ast_untyped(each.default_value)
