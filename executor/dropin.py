"""A Strawberry schema whose operations are executed by compiled code where that gives the same result."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, get_operation_ast
from graphql.execution import MiddlewareManager

from mainsheet.executor.engine import Executor, Request, core_schema
from mainsheet.executor.operation_cache import OperationCache, Size
from mainsheet.executor.prepared import Prepared

MOST_OPERATIONS = 256
MOST_BYTES = 256 * 1024 * 1024  # of these operations; estimated
BYTES = 2_000  # of any operation
BYTES_A_CHARACTER = 400  # of a document, by the length of its text; measured with tracemalloc where names are short


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A document with the name of an operation and its text. Hashed by the text, since nodes don't cache their hash.

    Documents with equal nodes are one, if their texts are: the positions of errors are found in the text.
    """

    document: DocumentNode
    name: str | None
    text: str | None

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key) or (self.name, self.text) != (other.name, other.text):
            return False
        return self.document is other.document or self.document == other.document


class Schema(strawberry.Schema):
    """Replaces graphql-core's `execute` inside Strawberry's. Parsing, validation, extensions and errors stay the same.

    To add it to another class of schema, inherit from it first: `class Federated(Schema, federation.Schema)`.
    """

    def make_executor(self) -> Executor:
        """Return the executor. Override this for other options, and keep `runs_extensions`."""
        return Executor(self, runs_extensions=True)

    @cached_property
    def _executor(self) -> Executor:
        return self.make_executor()

    @cached_property
    def _operations(self) -> OperationCache[Key, Prepared]:
        return OperationCache(MOST_BYTES, MOST_OPERATIONS)

    def _prepared(self, key: Key) -> Prepared | None:
        """Return the prepared operation of a document, or None if graphql-core has to refuse it.

        Raises `RecursionError` if the document is nested too deeply.
        """
        if found := self._operations.get(key):
            return found
        operation = get_operation_ast(key.document, key.name)
        if operation is None:
            return None
        size = Size(self._operations, BYTES + BYTES_A_CHARACTER * len(key.text or ""))
        try:
            prepared = Prepared(core_schema(self), key.document, operation, size.grow)
        except (GraphQLError, LookupError):  # it wasn't validated
            return None
        return self._operations.keep(key, prepared, size)

    def _get_execute_function(self) -> Callable[..., Any]:
        """Return the function to which Strawberry passes validated operations, in place of graphql-core's."""
        return self._execute_compiled

    def _execute_compiled(
        self, schema: GraphQLSchema, document: DocumentNode, *, middleware: MiddlewareManager, **given: Any
    ) -> Any:
        """Execute an operation. graphql-core does it if extensions have `resolve`, or if it wasn't validated."""
        text = document.loc.source.body if document.loc else None
        try:
            key = Key(document, given["operation_name"], text)
            operation = None if middleware.middlewares else self._prepared(key)
        except RecursionError:  # nodes are compared recursively
            operation = None
        if operation is None:
            return super()._get_execute_function()(schema, document, middleware=middleware, **given)
        request = _request(operation, **given)
        return (self._executor.execute_sync if request.is_sync else self._executor.execute)(request)


def _request(
    operation: Prepared,
    *,
    root_value: Any,
    context_value: Any,
    variable_values: dict[str, Any] | None,
    operation_name: str | None,  # noqa: ARG001 the operation has it
    executor_class: Any,  # noqa: ARG001 Strawberry's own; otherwise the executor compiles nothing and takes the schema's
    **options: Any,
) -> Request:
    is_sync = "is_async_iterable" in options  # Strawberry's mark of `execute_sync`
    return Request(operation, variable_values, context_value, root_value, options, is_sync)
