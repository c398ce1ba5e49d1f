"""WebSocket and server-sent events take documents like HTTP requests."""

from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from mainsheet.models.database import Database
from mainsheet.server.live.messages import Close
from mainsheet.server.live.websocket import SUBPROTOCOL
from mainsheet.server.trusted_documents import catalogue
from mainsheet.server.trusted_documents.catalogue import Client
from tests.trusted_documents.conftest import NAME, OTHER, Server, Start, document, hash_of, persisted

HARBOR = {"data": {"organization": {"name": "harbor"}}}
EVENTS = "subscription { events { id } }"
PATIENCE = 30

pytestmark = pytest.mark.usefixtures("trusted")


async def begun(server: Server) -> ClientWebSocketResponse:
    socket = await server.http.ws_connect("/graphql", protocols=[SUBPROTOCOL])
    await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {server.secret}"}})
    assert (await socket.receive_json(timeout=PATIENCE))["type"] == "connection_ack"
    return socket


async def ask(socket: ClientWebSocketResponse, id_: str, **payload: Any) -> Any:
    """Return the result, or the code of the error."""
    await socket.send_json({"type": "subscribe", "id": id_, "payload": payload})
    message = await socket.receive_json(timeout=PATIENCE)
    if message["type"] == "error":
        return message["payload"][0]["extensions"]["code"]
    assert (await socket.receive_json(timeout=PATIENCE))["type"] == "complete"
    return message["payload"]


async def test_an_operation_over_websocket_may_be_named_by_id_or_hash(start: Start) -> None:
    socket = await begun(await start(documents="trusted"))

    assert await ask(socket, "1", documentId=hash_of(NAME)) == HARBOR
    assert await ask(socket, "2", query="", **persisted(hash_of(NAME))) == HARBOR
    assert await ask(socket, "3", query=NAME) == HARBOR
    assert await ask(socket, "4", query=OTHER) == "DOCUMENT_NOT_TRUSTED"
    assert await ask(socket, "5", documentId="nothing") == "PERSISTED_QUERY_NOT_FOUND"
    assert await ask(socket, "6", query="") == "DOCUMENT_NOT_TRUSTED"


async def test_documents_can_be_registered_over_websocket(start: Start) -> None:
    socket = await begun(await start())

    assert await ask(socket, "1", query="", **persisted(hash_of(OTHER))) == "PERSISTED_QUERY_NOT_FOUND"
    assert await ask(socket, "2", query=OTHER, **persisted(hash_of(OTHER))) == {"data": {"__typename": "Query"}}
    assert await ask(socket, "3", query="", **persisted(hash_of(OTHER))) == {"data": {"__typename": "Query"}}
    assert await ask(socket, "4", query="") == "GRAPHQL_PARSE_FAILED"


async def test_a_message_without_any_document_closes_the_connection(start: Start) -> None:
    server = await start()
    for payload in ({}, {"query": None}, {"documentId": 1}, {"extensions": {"persistedQuery": 1}}):
        socket = await begun(server)
        await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
        message = await socket.receive(timeout=PATIENCE)
        assert (message.type, message.data) == (WSMsgType.CLOSE, Close.INVALID_MESSAGE), payload


async def test_an_operation_over_server_sent_events_may_be_named_by_its_id(start: Start) -> None:
    server = await start(documents="trusted")

    assert '{"data":{"organization":{"name":"harbor"}}}' in await streamed(server, documentId=hash_of(NAME))
    assert "DOCUMENT_NOT_TRUSTED" in await streamed(server, query=OTHER)
    assert 'mainsheet_untrusted_documents_total{outcome="refused"} 1.0' in await server.metrics()
    assert "PERSISTED_QUERY_NOT_FOUND" in await streamed(server, documentId="nothing")


async def streamed(server: Server, **body: Any) -> str:
    headers = {"Authorization": f"Bearer {server.secret}", "Accept": "text/event-stream"}
    async with server.http.post("/graphql", json=body, headers=headers) as response:
        assert response.status == 200
        return await response.text()


async def test_a_trusted_subscription_is_open_until_the_client_completes_it(start: Start, database: Database) -> None:
    await catalogue.add(database, [document(EVENTS, "events")], Client())
    socket = await begun(await start(documents="trusted"))

    await socket.send_json({"type": "subscribe", "id": "1", "payload": {"documentId": "events"}})
    await socket.send_json({"type": "complete", "id": "1"})

    assert await ask(socket, "2", documentId=hash_of(NAME)) == HARBOR
