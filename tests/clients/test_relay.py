"""Queries compiled by Relay run against the server."""

import shutil

from tests.clients.conftest import SDL, Clients


async def test_relay_pages_refetches_and_shows_what_is_published(clients: Clients) -> None:
    shutil.copy(SDL, clients.folder / "relay")
    await clients.tool("relay-compiler", cwd="relay")
    await clients.tool("tsc", "--project", "tsconfig.json", cwd="relay")

    found = await clients.script("relay/built/page.js")

    keys = await clients.job_keys()
    assert found["keys"] == keys
    assert found["pages"] == -(-len(keys) // 10) > 2
    assert found["names"][0] != found["names"][1] == "Renamed elsewhere"

    before, drafted, published, versioned, back = found["life"]
    assert (before["draft"], drafted["currentVersion"]) == (None, before["currentVersion"])
    assert (published["draft"], published["currentVersion"]["number"]) == (None, drafted["draft"]["number"])
    assert published["currentVersion"]["message"] == "Seen without store code"
    assert versioned["currentVersion"]["message"] == "In one step"
    assert versioned["currentVersion"]["number"] == published["currentVersion"]["number"] + 1
    assert back["currentVersion"] == published["currentVersion"]
