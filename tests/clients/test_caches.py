"""Normalized caches update by the ids in responses, without code for it."""

import pytest

from tests.clients.conftest import HERE, Clients

DOCUMENTATION = HERE.parents[1] / "docs/clients.md"

MORE = 6  # the queries for the member and the version, and the four mutations


@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_a_cache_pages_through_my_jobs_and_shows_what_is_published(clients: Clients, client: str) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd=client) == ""

    seen = await clients.script(f"{client}/pages.ts")

    before, drafted, published, versioned, back = seen["life"]
    assert seen["keys"] == await clients.job_keys()
    assert seen["pages"] == -(-len(seen["keys"]) // 10) > 2
    assert seen["requests"] == seen["pages"] + MORE
    assert before["draft"] is None
    assert drafted["currentVersion"] == before["currentVersion"]
    assert published["currentVersion"]["id"] == drafted["draft"]["id"]
    assert published["currentVersion"]["message"] == "Seen without a line of cache code"
    assert published["draft"] is None
    assert versioned["currentVersion"]["message"] == "In one step"
    assert versioned["currentVersion"]["number"] == published["currentVersion"]["number"] + 1
    assert back["currentVersion"] == published["currentVersion"]
    assert seen["who"]["me"]["actor"]["displayName"] == "Ada Lindqvist"


async def test_apollo_pages_by_nodes_with_the_policy_of_the_documentation(clients: Clients) -> None:
    policy = (clients.folder / "apollo/nodes-pagination.ts").read_text("utf-8")
    assert policy in DOCUMENTATION.read_text("utf-8")

    seen = await clients.script("apollo/nodes.ts")

    keys = await clients.job_keys()
    assert (seen["keys"], seen["anew"]) == (keys, keys[:10])
    assert 10 < len(seen["active"]) < len(keys)
    assert set(seen["active"]) < set(keys)
    assert seen["tagged"] == [["tagged"], ["tagged"]]
