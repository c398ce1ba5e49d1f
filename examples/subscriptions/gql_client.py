"""Follow the feed with gql. Each time that the connection ends, subscribe again after the last event."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, ClientSession
from gql import Client, GraphQLRequest
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError, TransportQueryError

EVENTS = "subscription ($after: String) { events(after: $after) { id action subjectLabel cursor } }"
PASSING = {"INTERNAL_SERVER_ERROR", "TIMEOUT", "OVERLOADED", "RATE_LIMITED"}

log = logging.getLogger(__name__)


class Refused(Exception):
    """The server refused the subscription, and would refuse it again."""


async def follow(url: str, token: str, after: str | None) -> AsyncGenerator[dict[str, Any]]:
    """Yield the events after the cursor, or from now on, for ever. Raises `Refused`."""
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        try:
            with suppress(ClientError, OSError):
                await _check_token(url, headers)
                transport = AIOHTTPWebsocketsTransport(websocket_url(url), init_payload=headers)
                async with Client(transport=transport) as session:
                    async for data in session.subscribe(GraphQLRequest(EVENTS, variable_values={"after": after})):
                        after = data["events"]["cursor"]
                        yield data["events"]
        except TransportQueryError as error:
            after = _go_on(error.errors or [], after)
        except TransportError:
            pass
        await asyncio.sleep(1)


def websocket_url(url: str) -> str:
    return url.replace("http", "ws", 1)


async def _check_token(url: str, headers: dict[str, str]) -> None:
    """Raise `Refused` if the server doesn't accept the token. gql doesn't tell why a WebSocket was closed."""
    async with (
        ClientSession(headers=headers) as http,
        http.post(url, json={"query": "{ __typename }"}) as response,
    ):
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise Refused("The server doesn't accept the token.")


def _go_on(errors: Sequence[dict[str, Any]], after: str | None) -> str | None:
    """Return after which cursor to subscribe again: the same one, or none if it has expired."""
    extensions = [error.get("extensions", {}) for error in errors]
    for each in extensions:
        if each.get("code") == "CURSOR_EXPIRED":
            log.warning("Events were lost; going on from now. Those that are left follow %s.", each["oldestCursor"])
            return None
    if all(each.get("code") in PASSING for each in extensions):
        return after
    raise Refused(" ".join(error["message"] for error in errors))
