"""Records what each operation does, for the log, the metrics and the traces."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from graphql import ExecutionResult

from mainsheet.models.instrumentation import Instrumentation, OperationRecord, instrumented
from mainsheet.server.errors import code_of
from mainsheet.server.operations.operation_store import Operation

CLIENT_LEFT = "CLIENT_LEFT"  # in place of an error code


@contextmanager
def recording(
    instrumentation: Instrumentation, operation: Operation, *, is_streamed: bool = False
) -> Iterator[OperationRecord]:
    """Record the operation that is executed inside, and report it at its end."""
    record = OperationRecord(operation.label, operation.name, operation.kind.value, is_streamed)
    begun = perf_counter()
    instrumentation.began(record)
    try:
        with instrumented(record):
            yield record
    except asyncio.CancelledError:
        record.error_codes = [CLIENT_LEFT]
        raise
    except Exception as failure:
        record.error_codes = [code_of(failure)]
        raise
    finally:
        record.seconds = perf_counter() - begun
        instrumentation.operated(record)


def note_errors(record: OperationRecord, result: ExecutionResult) -> ExecutionResult:
    """Add the codes of the result's errors to the record, and return the result."""
    if result.errors:
        record.error_codes = [code_of(each) for each in result.errors]
    return result
