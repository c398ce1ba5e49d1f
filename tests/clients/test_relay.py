"""Queries compiled by Relay run against the server."""

import shutil

from tests.clients.conftest import SDL, Clients


async def test_relay_pages_through_my_jobs_and_refetches_one_of_them(clients: Clients) -> None:
    shutil.copy(SDL, clients.folder / "relay")
    await clients.tool("relay-compiler", cwd="relay")
    await clients.tool("tsc", "--project", "tsconfig.json", cwd="relay")

    found = await clients.script("relay/built/page.js")

    keys = await clients.job_keys()
    assert found["keys"] == keys
    assert found["pages"] == -(-len(keys) // 10) > 2
    assert found["names"][0] != found["names"][1] == "Renamed elsewhere"
