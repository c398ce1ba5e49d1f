"""Large, compressed and endless bodies, sent to a real server."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.abuse.wire import ask, connected, get, metric, post
from tests.server.commands import Serving, expect_no_traceback, serving

ANALYST = "lena@harbor.example"
HELLO = b'{"query": "{ __typename }"}'


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abuse") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[Serving]:
    url = f"sqlite:///{log.parent}/demo.sqlite3"
    environment = {"MAINSHEET_BODY_TIMEOUT_SECONDS": "0.5"}
    with (
        log.open("w") as stream,
        serving("--demo", "--database-url", url, environment=environment, log=stream) as server,
    ):
        yield server
    expect_no_traceback(log.read_text("utf-8"))


@pytest.fixture(scope="module")
def token(server: Serving) -> str:
    return next(iter(server.tokens.values()))


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """800 MB in 777 kB."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(2**20)
    return b"".join([*(packer.compress(zeros) for _ in range(800)), packer.flush()])


async def test_a_bomb_without_a_token_is_refused_unread(server: Serving, bomb: bytes) -> None:
    async with connected(server.url) as connection:
        await connection.send(post(bomb[:1_000], length=len(bomb), Content_Encoding="gzip"))
        response = await connection.response()

        assert response.status == 401
        assert response.headers["Connection"] == "close"
        assert await connection.ended() == b""


async def test_a_bomb_with_a_token_is_refused_at_the_limit(server: Serving, token: str, bomb: bytes) -> None:
    response = await ask(server.url, post(bomb, token, Content_Encoding="gzip"))

    assert response.status == 413
    assert response.headers["Connection"] == "close"


async def test_a_too_large_content_length_is_refused_unread(server: Serving, token: str) -> None:
    response = await ask(server.url, post(b"", token, length=10**12))

    assert response.status == 413


async def test_the_rest_of_a_refused_body_is_not_read(server: Serving) -> None:
    async with connected(server.url) as connection:
        await connection.send(post(b"", length=10**12))
        assert (await connection.response()).status == 401

        with pytest.raises(ConnectionError):
            await connection.send_for_ever(bytes(2**20))


async def test_a_stalled_body_is_a_408(server: Serving, token: str) -> None:
    async with connected(server.url) as connection:
        await connection.send(post(HELLO, token, length=len(HELLO) + 1))
        response = await connection.response()

        assert (response.status, response.code) == (408, "BAD_USER_INPUT")
        assert await connection.ended() == b""
    assert await metric(server.url, 'mainsheet_http_refused_total{reason="body"}') == 1


async def test_100_continue_is_sent_after_authentication(server: Serving, token: str) -> None:
    async with connected(server.url) as connection:
        await connection.send(post(b"", token, length=len(HELLO), Expect="100-continue"))
        assert (await connection.response()).status == 100
        await connection.send(HELLO)
        assert (await connection.response()).status == 200

    refused = await ask(server.url, post(b"", length=len(HELLO), Expect="100-continue"))
    assert refused.status == 401


async def test_100_continue_isnt_sent_to_clients_of_http_1_0(server: Serving, token: str) -> None:
    """RFC 9110, section 10.1.1: they don't know it."""
    request = post(HELLO, token, Expect="100-continue").replace(b"HTTP/1.1", b"HTTP/1.0", 1)

    assert (await ask(server.url, request)).status == 200


@pytest.mark.parametrize("path", ["/graphql", "/nothing", "/livez"])
async def test_responses_forbid_sniffing_and_name_no_versions(server: Serving, path: str) -> None:
    for request in (get(path), get(path, Expect="nothing"), b"nonsense\r\n\r\n"):
        response = await ask(server.url, request)

        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Server"] == "mainsheet"


async def test_two_authorization_headers_are_refused(server: Serving, token: str) -> None:
    request = post(HELLO, token).replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer mst_other\r\n\r\n")

    assert (await ask(server.url, request)).status == 400


@pytest.mark.parametrize(
    "request_", [get("/" + "secret" * 2_000), post(HELLO, "secret" * 2_000)], ids=["URL", "header"]
)
async def test_a_line_that_is_too_long_isnt_repeated(server: Serving, request_: bytes) -> None:
    response = await ask(server.url, request_)

    assert response.status == 400
    message = orjson.loads(response.body)["errors"][0]["message"]
    assert message == "Bad Request: the URL or a header has more than 8190 bytes."
