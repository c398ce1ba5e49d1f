"""What prepared operations and large variables cost a server: `python -m benchmarks.operations_memory`.

A real server with default settings on a new SQLite demo: how much its memory grows by 300 documents of 1,900 fields and
by 300 requests with 1 MB of variables, and how long `/livez` takes at most meanwhile (it means something on a quiet
machine only). With `--quick`, 60 of each.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from mainsheet.server.settings import Settings

COUNT, QUICK = 300, 60
FIELDS = 1_900
MEGABYTE = 1024 * 1024
IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
TEXT = "query ($key: String!) { jobByKey(jobKey: $key) { id } }"
BEAT_SECONDS = 0.002


def document(number: int) -> str:
    fields = " ".join(f"a{number}x{each}: me {{ actor {{ displayName }} }}" for each in range(FIELDS // 3))
    return f"{{ {fields} }}"


def rss(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, str, str]]:
    """Start a demo; yield its process id, its address and an administrator's token."""
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as folder:
        environment = {**os.environ, "MAINSHEET_DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3"}
        command: Sequence[str | Path] = [Path(sys.executable).parent / "mainsheet", "serve", "--demo", "--port", "0"]
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout
        said = ""
        while not (found := re.search(r"(http://\S+?)/graphql", said)) or "mst_" not in said:
            said += (await process.stdout.readline()).decode()
        token = re.findall(r"mst_\S+", said)[0]
        try:
            yield process.pid, found[1], token
        finally:
            process.terminate()
            await process.wait()


class Heart:
    """Asks the server whether it is alive, and notes the longest time that it took."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http
        self.longest = 0.0

    async def beat(self) -> None:
        while True:
            begun = time.perf_counter()
            async with self._http.get("/livez") as response:
                await response.read()
            self.longest = max(self.longest, time.perf_counter() - begun)
            await asyncio.sleep(BEAT_SECONDS)


async def sent(http: ClientSession, bodies: Sequence[dict[str, Any]]) -> str:
    said = ""
    for body in bodies:
        async with http.post("/graphql", json=body) as response:
            said = f"{response.status}, {(await response.text())[:120]}"
    return said


async def measured(name: str, pid: int, http: ClientSession, bodies: Sequence[dict[str, Any]]) -> None:
    heart = Heart(http)
    beating = asyncio.create_task(heart.beat())
    before = rss(pid)
    last = await sent(http, bodies)
    beating.cancel()
    grown = (rss(pid) - before) / MEGABYTE
    print(f"{name}: grows by {grown:.0f} MB; /livez took {heart.longest * 1000:.0f} ms at most; last: {last}")


async def main(count: int) -> None:
    print(
        f"operation_cache_bytes: {Settings().operation_cache_bytes / MEGABYTE:.0f} MB; load: {os.getloadavg()[0]:.1f}"
    )
    async with served() as (pid, address, token):
        headers = {"Authorization": f"Bearer {token}"}
        async with ClientSession(address, headers=headers) as http:
            await measured("nothing", pid, http, [{"query": "{ me { id } }"}] * count)
            documents = [{"query": document(number)} for number in range(count)]
            await measured(f"{count} documents of {FIELDS} fields", pid, http, documents)
            ids = [f"JB{number:05}" for number in range(95_000)]
            variables = [{"query": IDS, "variables": {"ids": ids}}] * count
            await measured(f"{count} times 95,000 ids", pid, http, variables)
            texts = [
                {"query": TEXT, "variables": {"key": f"{number}{'x' * (MEGABYTE - 200)}"}} for number in range(count)
            ]
            await measured(f"{count} times a text of 1 MB", pid, http, texts)


if __name__ == "__main__":
    asyncio.run(main(QUICK if "--quick" in sys.argv else COUNT))
