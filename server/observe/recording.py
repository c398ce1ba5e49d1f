"""Records what each operation does, for the log, the metrics and the traces."""

import asyncio
from time import perf_counter

from graphql import ExecutionResult

from mainsheet.models.instrumentation import Instrumentation, Instrumented, OperationRecord
from mainsheet.server.errors import code_of
from mainsheet.server.operations.operation_store import Operation

CLIENT_LEFT = "CLIENT_LEFT"  # in place of an error code


def record_of(operation: Operation, *, is_streamed: bool = False) -> OperationRecord:
    return OperationRecord(operation.label, operation.name, operation.type, is_streamed)


class Recording:
    """A context manager that records the operation that is executed inside, and reports it at its end."""

    __slots__ = ("_begun", "_instrumentation", "_instrumented", "_record")

    def __init__(self, instrumentation: Instrumentation, record: OperationRecord) -> None:
        self._instrumentation = instrumentation
        self._record = record
        self._instrumented = Instrumented(record)

    def __enter__(self) -> None:
        self._begun = perf_counter()
        self._instrumentation.began(self._record)
        self._instrumented.__enter__()

    def __exit__(self, _type: object, failure: BaseException | None, _traceback: object) -> None:
        self._instrumented.__exit__()
        if isinstance(failure, asyncio.CancelledError):
            self._record.error_codes = [CLIENT_LEFT]
        elif isinstance(failure, Exception):
            self._record.error_codes = [code_of(failure)]
        self._record.seconds = perf_counter() - self._begun
        self._instrumentation.operated(self._record)


def note_errors(record: OperationRecord, result: ExecutionResult) -> ExecutionResult:
    """Add the codes of the result's errors to the record, and return the result."""
    if result.errors:
        record.error_codes = [code_of(each) for each in result.errors]
    return result
