"""A generic window of a list, by limit and offset."""

from typing import Any, Generic, TypeVar

import pytest
import strawberry

from mainsheet.executor import Outcome
from tests.executor.comparing import said
from tests.executor.strawberry_docs.api import Make

Item = TypeVar("Item")


@strawberry.type
class User:
    name: str = strawberry.field(description="The name of the user.")
    age: int


@strawberry.type
class PaginationWindow(Generic[Item]):
    items: list[Item]
    total_items_count: int


USERS = [User(name=name, age=age) for name, age in (("Norman", 42), ("Peter", 20), ("Harold", 19), ("Eddie", 20))]


@strawberry.type
class Query:
    @strawberry.field
    def users(self, order_by: str, limit: int, offset: int = 0, name: str | None = None) -> PaginationWindow[User]:
        if not 0 < limit <= 100:
            raise ValueError(f"limit ({limit}) must be between 0-100")
        found = sorted(
            (each for each in USERS if not name or name in each.name), key=lambda each: getattr(each, order_by)
        )
        return PaginationWindow(items=found[offset : offset + limit], total_items_count=len(found))


@pytest.mark.parametrize(
    ("arguments", "names", "count"),
    [
        ('orderBy: "name", limit: 2', ["Eddie", "Harold"], 4),
        ('orderBy: "name", limit: 2, offset: 2', ["Norman", "Peter"], 4),
        ('orderBy: "age", limit: 1, name: "r"', ["Harold"], 3),
        ('orderBy: "age", limit: 1, offset: 9', [], 4),
    ],
)
async def test_a_window_of_users_is_shown(schema: Make, arguments: str, names: list[str], count: int) -> None:
    data: dict[str, Any] = {"users": {"totalItemsCount": count, "items": [{"name": name} for name in names]}}

    await schema(Query).gives(
        f"{{ users({arguments}) {{ totalItemsCount items {{ name }} }} }}", data, Outcome.COMPILED
    )


async def test_a_wrong_limit_is_an_error(schema: Make) -> None:
    error = said("limit (101) must be between 0-100", "users", at=(1, 3))

    await schema(Query).gives(
        '{ users(orderBy: "name", limit: 101) { totalItemsCount } }', None, Outcome.RECOVERED, errors=[error]
    )
