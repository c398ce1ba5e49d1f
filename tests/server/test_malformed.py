"""Malformed requests get an error in JSON with the right status, never a 500."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from mainsheet.server.http.request import GRAPHQL_RESPONSE
from mainsheet.server.paths import GRAPHQL_PATH
from tests.server.commands import expect_no_traceback
from tests.server.conftest import Serve, Server

HELLO = b'{"query": "{ hello }"}'
NESTED_QUERY = "{ thing" + " { parent" * 5_000 + " { name }" + "}" * 5_000 + " }"
FRAGMENT_CHAIN = "{ ...F0 } " + "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(900))
FRAGMENT_CHAIN += "fragment F900 on Query { hello }"


async def _refused(response: ClientResponse, status: int) -> dict[str, Any]:
    body = await response.json(content_type=None)
    assert response.status == status, body
    assert response.content_type in {"application/json", GRAPHQL_RESPONSE}
    assert "data" not in body
    assert body["errors"][0]["message"]
    error: dict[str, Any] = body["errors"][0]
    assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
    return error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"{ hello }"',
        b"[]",
        b"{",
        b"{}",
        b'{"query": "{ hello }"} x',
        b'{"query": "\xff"}',
        b'{"query": "{ hello(name: \\"\\ud800\\") }"}',
        b'{"query": "{ hello }", "variables": {"a": "\\udc00"}}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 10_000 + b"}}",
        b'{"query": "{ hello }", "variables": {"a": NaN}}',
        b'{"query": "{ hello }", "variables": {"a": 1e999}}',
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": " \\n"}',
        b'{"query": 1}',
        b'{"query": ["{ hello }"]}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "extensions": []}',
        b'{"query": "{ hello }", "operationName": 1}',
    ],
    ids=lambda body: repr(body[:60]),
)
async def test_an_invalid_body_is_refused(server: Server, body: bytes) -> None:
    await _refused(await server.send(body), 400)


async def test_a_batch_is_refused_with_a_message_about_batches(server: Server) -> None:
    response = await server.send(b'[{"query": "{ hello }"}]')

    assert "one operation in each request" in (await _refused(response, 400))["message"]


@pytest.mark.parametrize(
    "content_type",
    ["application/jsonfoo", "text/plain", "application/graphql", "json", "application/json; charset=latin-1"],
)
async def test_another_content_type_is_refused(server: Server, content_type: str) -> None:
    await _refused(await server.send(b'{"query": "{ hello }"}', content_type), 415)


@pytest.mark.parametrize(
    "content_type", ["APPLICATION/JSON", "application/json; charset=UTF-8", 'application/json;charset="utf-8";a=b']
)
async def test_all_spellings_of_the_json_content_type_are_accepted(server: Server, content_type: str) -> None:
    response = await server.send(b'{"query": "{ hello }"}', content_type)

    assert await response.json() == {"data": {"hello": "hello world"}}


async def test_a_body_over_the_limit_is_refused(serve: Serve) -> None:
    server = await serve(max_body_bytes=2_000)

    await _refused(await server.post("{ hello } #" + "x" * 2_000), 413)


async def test_a_decompression_bomb_is_refused(serve: Serve) -> None:
    server = await serve(max_body_bytes=2_000)
    packed = gzip.compress(b'{"query": "{ hello } #' + b"x" * 1_000_000 + b'"}')

    await _refused(await server.send(packed, **{"Content-Encoding": "gzip"}), 413)


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("Deflate", zlib.compress), ("deflate", _raw_deflate), ("identity", bytes), ("", bytes)],
)
async def test_a_compressed_body_is_decompressed(
    server: Server, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    response = await server.send(encode(HELLO), **{"Content-Encoding": encoding})

    assert await response.json() == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "nonsense"])
async def test_an_unknown_encoding_is_refused_with_the_known_ones(server: Server, encoding: str) -> None:
    response = await server.send(HELLO, **{"Content-Encoding": encoding})

    assert "gzip or deflate" in (await _refused(response, 415))["message"]
    assert response.headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", HELLO),
        ("gzip", zlib.compress(HELLO)),
        ("deflate", HELLO),
        ("deflate", zlib.compress(HELLO)[:-5]),
        ("gzip", gzip.compress(HELLO) + HELLO),
        ("gzip", b""),
    ],
    ids=["plain", "another", "not deflated", "cut short", "with a rest", "empty"],
)
async def test_a_body_with_a_wrong_encoding_is_refused(
    server: Server, encoding: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = await server.send(body, **{"Content-Encoding": encoding, "Connection": "close"})
    await _refused(response, 400)
    await server.stop()

    expect_no_traceback(caplog.text)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"])
async def test_an_unknown_method_is_refused_with_the_allowed_ones(server: Server, method: str) -> None:
    response = await server.http.request(method, GRAPHQL_PATH, headers=server.headers)

    await _refused(response, 405)
    assert response.headers["Allow"] == "GET, POST"


async def test_a_mutation_by_get_is_refused(server: Server) -> None:
    response = await server.get(query="mutation { greet }")

    await _refused(response, 405)
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ hello }", "variables": "{"},
        {"query": "{ hello }", "variables": ""},
        {"query": "{ hello }", "variables": "[]"},
        {"query": "{ hello }", "extensions": "1"},
    ],
)
async def test_an_invalid_url_query_is_refused(server: Server, parameters: dict[str, str]) -> None:
    await _refused(await server.get(**parameters), 400)


@pytest.mark.parametrize("escaped", ["%ff", "%ed%a0%80", "%00"])
async def test_a_url_that_is_not_utf_8_is_refused(server: Server, escaped: str) -> None:
    address = f"{GRAPHQL_PATH}?query={escaped}"
    response = await server.http.get(address, headers=server.headers | {"Accept": GRAPHQL_RESPONSE})

    await _refused(response, 400)


@pytest.mark.parametrize("accept", ["text/plain", "application/jsonfoo", "application/json;q=0"])
async def test_a_client_that_doesnt_accept_json_is_refused(server: Server, accept: str) -> None:
    await _refused(await server.post(accept=accept), 406)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ }", "GRAPHQL_PARSE_FAILED"),
        ("{ hello { } }", "GRAPHQL_PARSE_FAILED"),
        ('{ hello(name: "\\uD800") }', "GRAPHQL_PARSE_FAILED"),
        ("# nothing", "GRAPHQL_PARSE_FAILED"),
        (NESTED_QUERY, "GRAPHQL_PARSE_FAILED"),
        ("{" + " hello" * 30_000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("#\n" * 30_000 + "{ hello }", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        (FRAGMENT_CHAIN, "QUERY_TOO_COMPLEX"),
        ("{ things(limit: " + "9" * 10_000 + ") { nodes { name } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("type T { a: Int }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ticks }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "BAD_USER_INPUT"),
        ("query($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
    ],
    ids=lambda text: text[:40],
)
async def test_an_invalid_document_is_refused(server: Server, query: str, code: str) -> None:
    response = await server.post(query, accept=GRAPHQL_RESPONSE)

    assert (await _refused(response, 400))["extensions"]["code"] == code


async def test_an_unknown_operation_name_is_refused(server: Server) -> None:
    response = await server.post("query A { hello }", operationName="B" * 10_000, accept=GRAPHQL_RESPONSE)

    message = (await _refused(response, 400))["message"]
    assert "no operation named 'BBB" in message
    assert len(message) < 200


async def test_an_out_of_range_variable_is_refused(server: Server) -> None:
    query = "query($v: Int) { things(limit: $v) { totalCount } }"

    response = await server.post(query, variables={"v": 2**70}, accept=GRAPHQL_RESPONSE)

    assert (await _refused(response, 400))["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_unknown_path_is_refused_as_json(server: Server) -> None:
    assert (await _refused(await server.http.get("/nothing"), 404))["message"] == "Not Found."


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"GET /graphql?query=" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 10_000 + b"\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
    ],
    ids=["no HTTP", "its version", "a long URL", "a long header", "its length", "a header"],
)
async def test_what_is_not_even_http_is_refused_as_json(
    server: Server, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection(server.url.host, server.url.port)
    writer.write(sent)

    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.split(maxsplit=2)[1] == b"400"
    assert b"Content-Type: application/json" in head
    (error,) = orjson.loads(body)["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(error["message"]) < 200
    expect_no_traceback(caplog.text)
