"""Responses over 1 kB are compressed if the client accepts gzip."""

import gzip

import orjson
import pytest
from aiohttp import ClientSession

from mainsheet.server.http.responses import COMPRESSED_INLINE, PART, SMALL
from tests.server.conftest import Serve, Server

HELLO = "query ($name: String!) { hello(name: $name) }"
AROUND = len('{"data":{"hello":"hello "}}')


async def ask(server: Server, size: int, accepted: str | None, query: str = HELLO) -> tuple[bytes, dict[str, str]]:
    """Return the body as it was sent, and the headers. The response has `size` bytes."""
    body = {"query": query, "variables": {"name": "x" * (size - AROUND)}}
    headers = server.headers | ({"Accept-Encoding": accepted} if accepted else {})
    async with ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as http:
        response = await http.post(server.url, json=body, headers=headers)
        return await response.read(), dict(response.headers)


@pytest.mark.parametrize("size", [SMALL + 1, COMPRESSED_INLINE + 1, PART, PART + 1, 5 * PART])
async def test_a_large_response_is_compressed(server: Server, size: int) -> None:
    sent, headers = await ask(server, size, "br;q=1.0, gzip;q=0.8")

    content = gzip.decompress(sent)
    assert headers["Content-Encoding"] == "gzip"
    assert len(content) == size
    assert orjson.loads(content)["data"]["hello"].startswith("hello x")
    assert len(sent) < size / 10


async def test_a_small_response_is_not_compressed(server: Server) -> None:
    sent, headers = await ask(server, SMALL, "gzip")

    assert "Content-Encoding" not in headers
    assert len(orjson.loads(sent)["data"]["hello"]) == SMALL - AROUND + len("hello ")


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=x"])
async def test_nothing_is_compressed_unless_gzip_is_accepted(server: Server, accepted: str | None) -> None:
    _, headers = await ask(server, 2 * SMALL, accepted)

    assert "Content-Encoding" not in headers
    assert headers["Content-Length"] == str(2 * SMALL)


@pytest.mark.parametrize("accepted", ["*", "GZIP", "deflate, gzip;q=0.1", "br;q=0, *;q=0.5"])
async def test_gzip_is_chosen_if_it_is_accepted(server: Server, accepted: str) -> None:
    _, headers = await ask(server, 2 * SMALL, accepted)

    assert headers["Content-Encoding"] == "gzip"


async def test_caches_keep_encodings_apart(server: Server) -> None:
    for accepted in (None, "gzip"):
        _, headers = await ask(server, 2 * SMALL, accepted)

        assert "Accept-Encoding" in headers["Vary"]


async def test_errors_are_compressed_too(server: Server) -> None:
    sent, headers = await ask(
        server, SMALL, "gzip", "{ " + " ".join(f"nonsense{number}" for number in range(50)) + " }"
    )

    assert headers["Content-Encoding"] == "gzip"
    assert b"nonsense0" in gzip.decompress(sent)


async def test_the_size_limit_is_of_the_content(serve: Serve) -> None:
    server = await serve(max_answer_bytes=2 * SMALL)

    sent, _ = await ask(server, 2 * SMALL + 1, "gzip")

    assert b"QUERY_TOO_COMPLEX" in sent
