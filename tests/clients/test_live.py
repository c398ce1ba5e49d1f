"""The clients of both subscription protocols read events, and resume after a cursor."""

from tests.clients.conftest import Clients


async def test_the_clients_of_both_protocols_read_the_same_events(clients: Clients) -> None:
    assert await clients.tool("tsc", "--project", "tsconfig.json", cwd="live") == ""

    seen = await clients.script("live/events.ts")

    assert [each["action"] for each in seen["live"]] == ["DRAFT_CREATED", "DRAFT_PUBLISHED"]
    assert seen["resumed"] == seen["live"][1:]
    assert seen["streamed"] == seen["live"]
    assert seen["query"] == {"organization": {"name": "harbor"}}
