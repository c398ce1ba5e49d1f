"""Normalized caches update by the ids in responses, without code for it."""

import pytest

from tests.clients.conftest import Clients

PAGES_AND_THREE = 3  # the query for the member, and the two mutations


@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_a_cache_pages_through_my_jobs_and_shows_what_is_published(clients: Clients, client: str) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd=client) == ""

    seen = await clients.script(f"{client}/pages.ts")

    before, drafted, published = seen["life"]
    assert seen["keys"] == await clients.job_keys()
    assert seen["pages"] == -(-len(seen["keys"]) // 10) > 2
    assert seen["requests"] == seen["pages"] + PAGES_AND_THREE
    assert before["draft"] is None
    assert drafted["currentVersion"] == before["currentVersion"]
    assert published["currentVersion"]["id"] == drafted["draft"]["id"]
    assert published["currentVersion"]["message"] == "Seen without a line of cache code"
    assert published["draft"] is None
    assert seen["who"]["me"]["actor"]["displayName"] == "Ada Lindqvist"
