"""What prepared operations and large variables cost a server: `python -m benchmarks.operations_memory`.

A real server on a new SQLite demo, with default settings, but no budgets: its resident memory before and after 2,000
different documents of the largest legal size, 300 of 1,900 fields, 300 requests with many ids and 300 with 1 MB of
variables, and how long `/livez` took at most meanwhile, which means something on a quiet machine only. An hour
on a busy machine; writes results/operations_memory.md. With `--quick`, 60 of each, and nothing is written.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientSession
from graphql import Lexer, Source, TokenKind

from mainsheet.server.settings import Settings

SETTINGS = Settings()
RESULT = Path(__file__).parent / "results" / "operations_memory.md"
LARGEST, OTHERS, QUICK = 2_000, 300, 60
FIELDS = 1_900
NO_BUDGETS = {"MAINSHEET_POINTS_PER_MINUTE": "0", "MAINSHEET_DATABASE_SECONDS_PER_MINUTE": "0"}
ALLOWED_MB = 50  # that memory may grow beyond the setting
MEGABYTE = 1024 * 1024
IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
TEXT = "query ($key: String!) { jobByKey(jobKey: $key) { id } }"
BEAT_SECONDS = 0.002


Body = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """Requests of one kind. `body` makes the one of a number."""

    name: str
    count: int
    body: Callable[[int], Body]


@dataclass(frozen=True)
class Growth:
    """What a load did to the server. Bytes, but for the longest answer of `/livez`, in seconds."""

    load: Load
    request: int
    before: int
    after: int
    peak: int
    longest: float
    answers: Counter[str]


def loads(count: int | None) -> list[Load]:
    """Return the loads, each of `count` requests if it is given."""
    ids = [f"JB{number:05}" for number in range(SETTINGS.max_variable_values - 1)]
    return [
        Load("`{ me { id } }`", count or LARGEST, lambda _: {"query": "{ me { id } }"}),
        Load("documents of the largest legal size", count or LARGEST, lambda each: {"query": largest(each)}),
        Load(f"documents of {FIELDS:,} fields", count or OTHERS, lambda each: {"query": document(each)}),
        Load(f"{len(ids):,} ids", count or OTHERS, lambda _: {"query": IDS, "variables": {"ids": ids}}),
        Load("a text of 1 MB", count or OTHERS, lambda each: {"query": TEXT, "variables": {"key": text(each)}}),
    ]


def document(number: int) -> str:
    fields = " ".join(f"a{number}x{each}: me {{ actor {{ displayName }} }}" for each in range(FIELDS // 3))
    return f"{{ {fields} }}"


def largest(number: int) -> str:
    """Return a document with nearly as many fields, tokens and bytes as the settings allow."""
    fields = SETTINGS.max_fields - 2
    length = (SETTINGS.max_body_bytes - 100) // fields - len(": id @include(if: true) ")
    names = (f"a{number}x{each}x".ljust(length, "y") for each in range(fields))
    return f"{{ me {{ actor {{ {' '.join(f'{name}: id @include(if: true)' for name in names)} }} }} }}"


def text(number: int) -> str:
    return f"{number}{'x' * (MEGABYTE - 200)}"


def tokens(text: str) -> int:
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    return count


def memory(pid: int, name: str) -> int:
    """Return the bytes of resident memory: now (VmRSS), or the most so far (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) * 1024


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, str, str]]:
    """Start a demo; yield its process id, its address and an administrator's authorization."""
    with tempfile.TemporaryDirectory(prefix="mainsheet-bench-") as folder:
        environment = {**os.environ, **NO_BUDGETS, "MAINSHEET_DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3"}
        command = [str(Path(sys.executable).parent / "mainsheet"), "serve", "--demo", "--port", "0"]
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout
        said = ""
        while not (found := re.search(r"(http://\S+?)/graphql", said)) or "mst_" not in said:
            said += (await process.stdout.readline()).decode()
        token = re.findall(r"mst_\S+", said)[0]
        try:
            yield process.pid, found[1], f"Bearer {token}"
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


async def measured(load: Load, pid: int, http: ClientSession) -> Growth:
    heart, answers = Heart(http), Counter[str]()
    beating = asyncio.create_task(heart.beat())
    before, body = memory(pid, "VmRSS"), b""
    for number in range(load.count):
        body = orjson.dumps(load.body(number))
        async with http.post("/graphql", data=body, headers={"Content-Type": "application/json"}) as response:
            has_errors = "errors" in orjson.loads(await response.read())
            answers[f"{response.status} with errors" if has_errors else f"{response.status}"] += 1
    beating.cancel()
    return Growth(load, len(body), before, memory(pid, "VmRSS"), memory(pid, "VmHWM"), heart.longest, answers)


async def main(count: int | None) -> list[Growth]:
    async with served() as (pid, address, token), ClientSession(address, headers={"Authorization": token}) as http:
        found = []
        for load in loads(count):
            found.append(await measured(load, pid, http))
            print(*_row(found[-1]), sep=" | ", flush=True)
        return found


def report(found: list[Growth]) -> str:
    setting = SETTINGS.operation_cache_bytes // MEGABYTE
    rows = "\n".join(f"| {' | '.join(_row(each))} |" for each in found)
    return f"""# Memory of prepared operations

By `python -m benchmarks.operations_memory` on SQLite, {datetime.now(UTC):%d %B %Y}; the machine's load average at the
end was {os.getloadavg()[0]:.1f}. Settings are the defaults, but there are no budgets of callers.

Resident memory of a server's only process in MiB, before and after requests that follow one after the other, and the
most it ever was. `MAINSHEET_OPERATION_CACHE_BYTES` is {setting} MiB; different documents may let memory grow by
{setting + ALLOWED_MB} MiB. The largest legal documents have {tokens(largest(0)):,} tokens.

| requests | of | bytes each | answers | before | after | growth | peak | `/livez` at most, ms |
|---|---|---|---|---|---|---|---|---|
{rows}
"""


def _row(growth: Growth) -> list[str]:
    memory = growth.before, growth.after, growth.after - growth.before, growth.peak
    answers = ", ".join(f"{number:,} times {status}" for status, number in growth.answers.items())
    return [
        *(f"{growth.load.count:,}", growth.load.name, f"{growth.request:,}", answers),
        *(f"{each / MEGABYTE:.0f}" for each in memory),
        f"{growth.longest * 1000:.0f}",
    ]


if __name__ == "__main__":
    is_quick = "--quick" in sys.argv
    written = report(asyncio.run(main(QUICK if is_quick else None)))
    print(written)
    if not is_quick:
        RESULT.write_text(written, "utf-8")
