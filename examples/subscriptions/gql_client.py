"""Follow the feed with gql. Each time that the connection ends, subscribe again after the last event."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from aiohttp import ClientError
from gql import Client, GraphQLRequest
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError

EVENTS = "subscription ($after: String) { events(after: $after) { id action subjectLabel cursor } }"


async def follow(url: str, token: str, after: str) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events after the cursor, for ever."""
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        with suppress(TransportError, ClientError, OSError):
            transport = AIOHTTPWebsocketsTransport(url.replace("http", "ws"), init_payload=headers)
            async with Client(transport=transport) as session:
                async for data in session.subscribe(GraphQLRequest(EVENTS, variable_values={"after": after})):
                    after = data["events"]["cursor"]
                    yield data["events"]
        await asyncio.sleep(1)
