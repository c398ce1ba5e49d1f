"""What the two peers without GraphQL share: a pool, one handler for each operation, bytes out."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # has no stubs
import orjson
import uvloop
from aiohttp import web

from benchmarks.statements import statements

CONNECTIONS = 10

Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]
Operation = Callable[[Fetch, str, Mapping[str, Any]], Awaitable[bytes]]


def serve(operations: Mapping[str, Operation], file: str) -> None:
    uvloop.run(_serve(operations, statements(f"peers/{file}")))


async def _serve(operations: Mapping[str, Operation], sql: Mapping[str, str]) -> None:
    """Use each connection as it is: asyncpg's own pool would send a statement more at each return."""
    free: asyncio.LifoQueue[asyncpg.Connection] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncpg.connect(os.environ["BENCH_DATABASE_URL"]))

    async def fetch(name: str, *values: Any) -> list[asyncpg.Record]:
        connection = await free.get()
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql[name], *values)
        finally:
            free.put_nowait(connection)
        return rows

    app = web.Application()
    for name, operation in operations.items():
        app.router.add_post(f"/{name}", _handler(operation, fetch))
    await listen(app)


def _handler(operation: Operation, fetch: Fetch) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        variables = orjson.loads(await request.read())["variables"]
        body = await operation(fetch, request.headers["x-member-id"], variables)
        return web.Response(body=body, content_type="application/json")

    return handle


async def listen(app: web.Application, path: str = "") -> None:
    """Serve until SIGTERM, on a port that the first line says."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"Serving http://127.0.0.1:{runner.addresses[0][1]}{path}", flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await runner.cleanup()
