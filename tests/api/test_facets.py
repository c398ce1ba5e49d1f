"""Facets: how many jobs of the whole list have each value."""

from collections import Counter
from typing import Any

import pytest

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from testbed.ask import Ask, Failed
from testbed.world import World, make_run

FACETS = """
fragment Facets on JobFacets {
  statuses { value count } latestRunStatuses { value count } tags { value count }
  teams { node { name } count } clusters { node { name } count }
}
"""
JOBS = "query ($filter: JobFilter) { jobs(limit: 0, filter: $filter) { facets { ...Facets } } }" + FACETS
ALL = (
    """
{ jobs(limit: 1) { totalCount facets { ...Facets } }
  teams { nodes { name jobs(limit: 1) { totalCount facets { ...Facets } } } }
  clusters { nodes { name jobs(limit: 1) { facets { clusters { count } } } } } }
"""
    + FACETS
)
PAUSE = "mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { code } } }"


@pytest.fixture(autouse=True)
async def jobs(ask: Ask, world: World, database: Database) -> None:
    """Three jobs of `data-eng`, one of which `analytics` shares, and one that only `platform` sees."""
    both = [world.data_eng.id, world.analytics.id]
    ids = [
        await ask.create_job(world.admin, world, jobKey="a", tags=["daily", "finance"], teamIds=both),
        await ask.create_job(world.contributor, world, jobKey="b", tags=["daily"]),
        await ask.create_job(world.contributor, world, jobKey="c", name="Pear"),
    ]
    await ask.create_job(world.admin, world, jobKey="hidden", tags=["secret"], teamIds=[world.platform.id])
    await ask(world.contributor, PAUSE, input={"jobId": ids[1], "status": "PAUSED"})
    await make_run(database, ids[0], status="FAILED")
    await make_run(database, ids[1], status="FAILED")


async def facets(ask: Ask, world: World, **wanted: Any) -> dict[str, Any]:
    return shown((await ask(world.contributor, JOBS, filter=wanted))["jobs"]["facets"])


def shown(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [((each["node"]["name"] if "node" in each else each["value"]), each["count"]) for each in own]
        for name, own in found.items()
    }


async def test_facets_count_the_visible_jobs(ask: Ask, world: World) -> None:
    assert await facets(ask, world) == {
        "statuses": [("ACTIVE", 2), ("PAUSED", 1)],
        "latestRunStatuses": [("FAILED", 2), (None, 1)],
        "tags": [("daily", 2), ("finance", 1)],
        "teams": [("data-eng", 3), ("analytics", 1)],
        "clusters": [("active", 3)],
    }


@pytest.mark.parametrize(
    ("facet", "wanted", "counts"),
    [
        ("statuses", {"statuses": ["PAUSED"]}, [("ACTIVE", 2), ("PAUSED", 1)]),
        ("tags", {"statuses": ["PAUSED"]}, [("daily", 1)]),
        ("tags", {"tagsAnyOf": ["finance"]}, [("daily", 2), ("finance", 1)]),
        ("tags", {"tagsAllOf": ["finance"]}, [("daily", 2), ("finance", 1)]),
        ("statuses", {"tagsAllOf": ["finance"]}, [("ACTIVE", 1)]),
        ("teams", {"teamIds": []}, [("data-eng", 3), ("analytics", 1)]),
        ("statuses", {"teamIds": []}, []),
        ("clusters", {"clusterIds": []}, [("active", 3)]),
        ("latestRunStatuses", {"latestRunStatuses": [None]}, [("FAILED", 2), (None, 1)]),
        ("tags", {"latestRunStatuses": [None]}, []),
        ("latestRunStatuses", {"search": "pear"}, [(None, 1)]),
        ("teams", {"keys": ["a"]}, [("analytics", 1), ("data-eng", 1)]),
    ],
)
async def test_a_facet_ignores_only_the_conditions_on_its_own_value(
    ask: Ask, world: World, facet: str, wanted: dict[str, Any], counts: list[Any]
) -> None:
    assert (await facets(ask, world, **wanted))[facet] == counts


async def test_each_list_has_its_own_facets(ask: Ask, world: World) -> None:
    data = await ask(world.contributor, ALL)
    teams = {each["name"]: shown(each["jobs"]["facets"]) for each in data["teams"]["nodes"]}
    clusters = {each["name"]: each["jobs"]["facets"]["clusters"] for each in data["clusters"]["nodes"]}

    assert shown(data["jobs"]["facets"])["statuses"] == [("ACTIVE", 2), ("PAUSED", 1)]
    assert teams["analytics"]["tags"] == [("daily", 1), ("finance", 1)]
    assert teams["data-eng"]["teams"] == [("data-eng", 3), ("analytics", 1)]
    assert teams["platform"]["statuses"] == []
    assert clusters == {name: [{"count": 3}] if name == "active" else [] for name in clusters}


async def test_the_number_of_values_is_limited(ask: Ask, world: World) -> None:
    query = "query ($first: Int!) { jobs { facets { tags(first: $first) { value } } } }"
    for first, tags in ((0, []), (1, ["daily"]), (2, ["daily", "finance"]), (100, ["daily", "finance"])):
        found = (await ask(world.contributor, query, first=first))["jobs"]["facets"]["tags"]
        assert [each["value"] for each in found] == tags
    for first in (-1, 101):
        with pytest.raises(Failed, match=r"first: .* out of range, 0 to 100") as failed:
            await ask(world.contributor, query, first=first)
        assert [type(each.original_error) for each in failed.value.errors] == [BadInput]


async def test_a_facet_costs_one_statement_if_selected(ask: Ask, world: World) -> None:
    costs = {}
    for facet in ("statuses", "latestRunStatuses", "tags", "teams", "clusters"):
        await ask(world.admin, f"{{ jobs(limit: 5) {{ nodes {{ id }} facets {{ {facet} {{ count }} }} }} }}")
        costs[facet] = Counter("count(" in each for each in ask.statements if each.startswith(("SELECT", "WITH")))[True]
    await ask(world.admin, "{ jobs(limit: 5) { nodes { id } } }")

    assert set(costs.values()) == {1}
    assert not any("count(" in each for each in ask.statements)
