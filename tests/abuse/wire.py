"""Sends requests byte by byte, as no well-behaved client does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from yarl import URL

PATIENCE = 20
OTHER_ADDRESS = "127.0.0.2"  # all of 127.0.0.0/8 is this machine


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(orjson.loads(self.body)["errors"][0]["extensions"]["code"])


@dataclass(frozen=True)
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self.writer.drain()

    async def send_for_ever(self, data: bytes) -> None:
        while True:
            await self.send(data)

    async def response(self) -> Response:
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.title(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("Content-Length", 0)))
        return Response(int(first.split()[1]), headers, body)

    async def ended(self) -> bytes:
        """Return the remaining bytes after the server has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def connected(url: str, *, address: str = "127.0.0.1", receives: int | None = None) -> AsyncIterator[Connection]:
    """Connect from an address of this machine. `receives` limits the kernel's receive buffer."""
    sock = socket.socket()
    if receives is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    sock.setblocking(False)
    parsed = URL(url)
    try:
        sock.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(sock, (parsed.host, parsed.port))
    except OSError:
        sock.close()
        raise
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024 if receives else 2**16)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def ask(url: str, request: bytes, *, address: str = "127.0.0.1") -> Response:
    async with connected(url, address=address) as connection:
        await connection.send(request)
        return await connection.response()


def get(path: str, **headers: str) -> bytes:
    return _head("GET", path, headers)


def post(body: bytes, token: str | None = None, *, length: int | None = None, **headers: str) -> bytes:
    """Build a POST request with JSON. Names of headers have underscores."""
    named = {"Content_Type": "application/json", "Content_Length": str(len(body) if length is None else length)}
    if token is not None:
        named["Authorization"] = f"Bearer {token}"
    return _head("POST", "/graphql", named | headers) + body


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def metric(url: str, name: str) -> float:
    """Return a value of /metrics, or 0 if it is missing. The request comes from an address that no test uses."""
    text = (await ask(url, get("/metrics"), address=OTHER_ADDRESS)).body.decode()
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))
