"""A search in a list of names reads the start of the list, then the index: its cost doesn't grow with the list."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import insert

from mainsheet.models.cluster import Cluster
from mainsheet.models.cluster_status import ClusterStatus
from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team
from testbed.ask import Ask
from testbed.world import World
from tests.scale.test_search_of_others import searched

SCANNED = 200
LISTS: Mapping[str, tuple[type[Any], Callable[[int], dict[str, Any]]]] = {
    "teams": (Team, lambda _: {}),
    "members": (Member, lambda number: {"kind": "MEMBER", "email": f"{number}@harbor.example"}),
    "serviceAccounts": (ServiceAccount, lambda _: {"kind": "SERVICE_ACCOUNT"}),
    "clusters": (Cluster, lambda _: {"status": ClusterStatus.ACTIVE}),
    "savedQueries": (SavedQuery, lambda _: {"sql": "SELECT 1"}),
}


async def add(database: Database, world: World, name: str, numbers: range) -> None:
    model, values = LISTS[name]
    rows = [
        {
            "id": new_id(model.PREFIX),
            "organization_id": world.organization.id,
            "name": f"common-{number:05}",
            "search_text": f"common-{number:05}",
            "revision": 1,
            **values(number),
        }
        for number in numbers
    ]
    async with database.writes.begin() as connection:
        await connection.execute(insert(model.__table__), rows)


@pytest.mark.parametrize("name", LISTS)
async def test_a_search_costs_the_same_in_a_long_list(
    ask: Ask,
    world: World,
    database: Database,
    scan_limit: Callable[[int], None],
    name: str,
) -> None:
    scan_limit(SCANNED)
    query = f"query ($text: String!) {{ it: {name}(search: $text, limit: 20) {{ nodes {{ name }} }} }}"

    async def costs() -> list[int]:
        return [await cost("common", 20), await cost("00399", 1), await cost("absent", 0)]

    async def cost(text: str, matches: int) -> int:
        data, (steps,) = await searched(database, ask, world.outsider, query, text)
        assert len(data["it"]["nodes"]) == matches
        return steps

    await add(database, world, name, range(400))
    short = await costs()
    await add(database, world, name, range(1000, 5000))
    long = await costs()

    assert all(now <= 1.3 * before for now, before in zip(long, short, strict=True)), (short, long)
