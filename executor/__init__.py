"""A compiling executor for Strawberry schemas. `README.md` in this folder describes how it works."""

from mainsheet.executor.arguments import Refused
from mainsheet.executor.bounds import AnswerTooLarge
from mainsheet.executor.dropin import Schema
from mainsheet.executor.engine import CountedResult, Executor, Outcome, Request, core_schema, refer
from mainsheet.executor.introspection import is_introspection, root_fields
from mainsheet.executor.operation_cache import OperationCache, Size
from mainsheet.executor.prepared import Prepared
from mainsheet.executor.relation import READS, RELATION, Place, Relation
from mainsheet.executor.unsupported import Unsupported
from mainsheet.executor.worker import WorkerThread

__all__ = [
    "READS",
    "RELATION",
    "AnswerTooLarge",
    "CountedResult",
    "Executor",
    "OperationCache",
    "Outcome",
    "Place",
    "Prepared",
    "Refused",
    "Relation",
    "Request",
    "Schema",
    "Size",
    "Unsupported",
    "WorkerThread",
    "core_schema",
    "is_introspection",
    "refer",
    "root_fields",
]
