"""The statements that a resolver's module defines."""

from types import ModuleType
from typing import Any

from mainsheet.resolvers.sql.statement import Query


def queries(module: ModuleType) -> list[Query[Any]]:
    return [each for each in vars(module).values() if isinstance(each, Query)]
