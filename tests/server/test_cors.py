import pytest
from aiohttp import ClientResponse

from mainsheet.server.http.consistency import HEADER as CONSISTENCY
from mainsheet.server.paths import GRAPHQL_PATH
from tests.server.conftest import Serve, Server

OURS = "https://app.example"
THEIRS = "https://evil.example"


async def _preflight(server: Server, origin: str) -> ClientResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return await server.http.options(GRAPHQL_PATH, headers=headers)


async def _ask(server: Server, origin: str, token: str) -> ClientResponse:
    headers = {"Origin": origin, "Authorization": f"Bearer {token}"}
    return await server.http.post(GRAPHQL_PATH, json={"query": "{ hello }"}, headers=headers)


async def test_no_origin_is_allowed_by_default(server: Server) -> None:
    preflight, answer = await _preflight(server, OURS), await _ask(server, OURS, server.token)

    assert preflight.status == 405
    assert "Access-Control-Allow-Origin" not in preflight.headers
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_an_allowed_origin_may_send_tokens_and_read_responses(serve: Serve) -> None:
    server = await serve(cors_origins=(OURS, "https://other.example"))

    preflight, answer = await _preflight(server, OURS), await _ask(server, OURS, server.token)

    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == OURS
    allowed = preflight.headers["Access-Control-Allow-Headers"].split(", ")
    assert {CONSISTENCY, "Authorization", "apollographql-client-name", "apollographql-client-version"} <= {*allowed}
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "Origin" in answer.headers.getall("Vary")
    assert CONSISTENCY in answer.headers["Access-Control-Expose-Headers"].split(", ")


async def test_an_allowed_origin_may_read_errors(serve: Serve) -> None:
    server = await serve(cors_origins=(OURS,))

    answer = await _ask(server, OURS, "wrong")

    assert answer.status == 401
    assert answer.headers["Access-Control-Allow-Origin"] == OURS


@pytest.mark.parametrize("origin", [THEIRS, "null", OURS + ".evil.example", OURS.upper()])
async def test_another_origin_is_not_allowed(serve: Serve, origin: str) -> None:
    server = await serve(cors_origins=(OURS,))

    for response in (await _preflight(server, origin), await _ask(server, origin, server.token)):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Methods" not in response.headers


async def test_a_star_allows_every_origin_but_no_credentials(serve: Serve) -> None:
    server = await serve(cors_origins=("*",))

    answer = await _ask(server, THEIRS, server.token)

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
