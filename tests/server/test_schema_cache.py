"""Introspection by GET has an ETag, and 304 tells a client that its copy is current."""

from collections.abc import Mapping

import pytest
import strawberry
from aiohttp import ClientResponse
from graphql import get_introspection_query

from mainsheet.executor import core_schema
from mainsheet.server.http.schema_cache import SchemaCache
from mainsheet.server.paths import GRAPHQL_PATH
from tests.abuse.wire import connected
from tests.server.conftest import Serve, Server
from tests.server.small_api import Query, small_api

SCHEMA = get_introspection_query()
TYPE = "query ($name: String!) { __type(name: $name) { name } }"


async def get(server: Server, query: str = SCHEMA, etag: str | None = None, **parameters: str) -> ClientResponse:
    headers = {**server.headers, "Accept": "application/json", **({"If-None-Match": etag} if etag else {})}
    return await server.http.get(GRAPHQL_PATH, params={"query": query, **parameters}, headers=headers)


def cached(headers: Mapping[str, str]) -> tuple[str, str]:
    return headers["ETag"], headers["Cache-Control"]


@pytest.mark.parametrize("seen", ["{}", '"other", {}'])
async def test_a_client_with_the_schema_gets_304(server: Server, seen: str) -> None:
    first = await get(server)
    etag = first.headers["ETag"]

    again = await get(server, etag=seen.format(etag))

    assert (first.status, again.status) == (200, 304)
    assert "__schema" in (await first.json())["data"]
    assert await again.read() == b""
    assert cached(first.headers) == cached(again.headers) == (etag, "private, no-cache")
    assert "Authorization" in first.headers["Vary"]
    assert again.headers["Vary"] == first.headers["Vary"]


async def test_another_tag_gets_the_schema(server: Server) -> None:
    response = await get(server, etag='W/"0123"')

    assert response.status == 200


async def test_the_tag_follows_from_the_operation_and_its_variables(server: Server) -> None:
    responses = [
        await get(server),
        await get(server, TYPE, variables='{"name": "Thing"}'),
        await get(server, TYPE, variables='{"name": "Query"}'),
    ]

    assert len({response.headers["ETag"] for response in responses}) == len(responses)


def test_the_tag_follows_from_the_schema() -> None:
    other = strawberry.Schema(Query)

    assert SchemaCache.of(core_schema(other)) != SchemaCache.of(core_schema(small_api))


async def test_a_revoked_token_gets_no_304(server: Server) -> None:
    etag = (await get(server)).headers["ETag"]
    server.headers["Authorization"] = "Bearer wrong"

    response = await get(server, etag=etag)

    assert response.status == 401


@pytest.mark.parametrize(
    "query", ["{ hello }", "{ __typename hello }", "{ __nonsense }", "query ($a: Int!) { __typename }"]
)
async def test_only_introspection_is_cached(server: Server, query: str) -> None:
    response = await get(server, query)

    assert response.status in {200, 400}
    assert "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


async def test_deeply_nested_variables_have_no_tag(server: Server) -> None:
    response = await get(server, TYPE, variables=f'{{"name": "Thing", "other": {"[" * 500 + "]" * 500}}}')

    assert response.status == 200
    assert "ETag" not in response.headers


async def test_media_types_that_are_not_utf_8_have_no_tag(server: Server) -> None:
    line = "GET /graphql?query=%7B__schema%7B__typename%7D%7D HTTP/1.1"
    head = f"{line}\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\nAccept: application/json, "
    async with connected(str(server.url)) as connection:
        await connection.send(head.encode() + b"\xff\r\n\r\n")
        response = await connection.response()

    assert response.status == 200
    assert "Etag" not in response.headers


async def test_a_response_to_post_has_no_tag(server: Server) -> None:
    response = await server.post(SCHEMA)

    assert "ETag" not in response.headers


async def test_public_introspection_is_cached_too(serve: Serve) -> None:
    server = await serve(public_introspection=True)
    server.headers = {}
    etag = (await get(server)).headers["ETag"]

    assert (await get(server, etag=etag)).status == 304
