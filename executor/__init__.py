"""A compiled executor for Strawberry schemas; `README.md` beside this file tells how it works."""

from executor.arguments import Refused
from executor.engine import Executor, Outcome, Request, core_schema, refer
from executor.relation import READS, RELATION, Relation
from executor.shape import Unsupported

__all__ = [
    "READS",
    "RELATION",
    "Executor",
    "Outcome",
    "Refused",
    "Relation",
    "Request",
    "Unsupported",
    "core_schema",
    "refer",
]
