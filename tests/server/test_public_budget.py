"""Introspection without a token has a small budget, and can't keep the process busy."""

import pytest

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import OperationRecord
from mainsheet.server.errors import Overloaded, RateLimited
from mainsheet.server.operations.allowance import PUBLIC_FACTOR
from mainsheet.server.operations.budget import POINTS_OF_INVALID, Budget, Spending
from mainsheet.server.operations.prices import Price
from mainsheet.server.operations.public_budget import PublicBudget, anybody
from mainsheet.server.settings import Settings
from tests.abuse.wire import ask, post
from tests.server.conftest import Serve

FREE = Price(0, is_refundable=True)
OWN = Price(100, is_refundable=True)  # the share of an address without a token of 2,000 points
INVALID = b'{"query": "{ __schema { nothing } }"}'


def introspection(budget: Budget, address: str, price: Price) -> Spending:
    return budget.spending(anybody(address), price, OperationRecord("", "", "query"))


async def test_all_addresses_share_a_budget(database: Database) -> None:
    budget = PublicBudget(Settings(points_per_minute=2000), database, clock=lambda: 0)
    for number in range(PUBLIC_FACTOR):
        spending = introspection(budget, f"127.0.0.{number}", OWN)
        await spending.begin()
        budget.queries.leave(spending.caller)

    with pytest.raises(RateLimited):
        await introspection(budget, "127.0.0.99", OWN).begin()


async def test_operations_without_a_token_run_one_at_a_time(database: Database) -> None:
    budget = PublicBudget(Settings(pool_timeout_seconds=0.05), database)
    await introspection(budget, "127.0.0.1", FREE).begin()

    with pytest.raises(Overloaded):
        await introspection(budget, "127.0.0.2", FREE).begin()


@pytest.mark.parametrize("has_token", [True, False])
async def test_short_invalid_documents_are_charged(serve: Serve, has_token: bool) -> None:
    points = POINTS_OF_INVALID * (1 if has_token else 20)
    server = await serve(points_per_minute=points, public_introspection=True)
    token = server.headers["Authorization"].removeprefix("Bearer ") if has_token else None

    statuses = [(await ask(str(server.url), post(INVALID, token))).status for _ in range(3)]

    assert statuses == [200, 200, 429]
