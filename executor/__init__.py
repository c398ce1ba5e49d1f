"""A compiled executor for Strawberry schemas; `README.md` beside this file tells how it works."""

from executor.arguments import Refused
from executor.bounds import AnswerTooLarge
from executor.engine import Executor, Outcome, Request, core_schema, refer
from executor.introspection import is_introspection
from executor.prepared import Prepared
from executor.relation import READS, RELATION, Place, Relation
from executor.shape import Unsupported
from executor.worker import Worker

__all__ = [
    "READS",
    "RELATION",
    "AnswerTooLarge",
    "Executor",
    "Outcome",
    "Place",
    "Prepared",
    "Refused",
    "Relation",
    "Request",
    "Unsupported",
    "Worker",
    "core_schema",
    "is_introspection",
    "refer",
]
