"""`python -m benchmarks.isolation`: how long one tenant waits while a member of another asks for all that it can.

The victim asks for one job after the other on one connection: first alone, then during large searches on many
connections, then during mutations whose clients leave at once; with the limits by default, and without them. The
attacks come from a process and an address of their own, and so do the victim's requests. The servers have a CPU of
their own; on the other one, the attackers run only when the victim and PostgreSQL don't.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import orjson
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from benchmarks import data, processor
from benchmarks.load import post
from benchmarks.servers import OTHER_CPU, ROOT, every_server, started
from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.databases import connected
from testbed.world import make_world, token

RESULT = Path(__file__).parent / "results/isolation.md"
CONNECTIONS = 50
MUTATIONS = 400
BREATH_SECONDS = 0.05  # after which the clients of mutations leave
VICTIMS_ADDRESS = "127.0.0.2"  # another one than the attacker's, as limits of addresses are among the protections
TWO_ORGANIZATIONS = {"MAINSHEET_ORGANIZATION_SHARE": "0.75"}
UNLIMITED = {
    "MAINSHEET_MAX_CONNECTIONS_PER_ADDRESS": "10000",
    "MAINSHEET_MAX_OPERATIONS_PER_CALLER": "1000000",
    "MAINSHEET_MAX_QUEUED_PER_CALLER": "1000000",
    "MAINSHEET_POINTS_PER_MINUTE": "0",
    "MAINSHEET_DATABASE_SECONDS_PER_MINUTE": "0",
}
ATTACKS = ("searches", "mutations")
POINT = "query ($id: ID!) { job(id: $id) { name currentVersion { number } } }"
SEARCH = 'jobs(limit: 100, filter: {search: "pipeline"}) { nodes { name } }'
SEARCHES = "{" + " ".join(f"a{number}: {SEARCH}" for number in range(600)) + "}"
DESCRIBE = 'mutation ($id: ID!) { updateJob(input: {jobId: $id, description: "x"}) { job { id } } }'


@dataclass(frozen=True)
class Party:
    token: str
    job_id: str

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def body(self, query: str) -> bytes:
        return orjson.dumps({"query": query, "variables": {"id": self.job_id}} if "$id" in query else {"query": query})


@dataclass(frozen=True)
class Result:
    limits: str
    attack: str
    attacked: str
    waits: Sequence[float]
    failures: int

    def row(self) -> str:
        hundredths = quantiles(self.waits, n=100)
        p50, p99, most = (f"{1000 * each:.1f}" for each in (hundredths[49], hundredths[98], max(self.waits)))
        cells = (self.limits, self.attack, self.attacked, len(self.waits), self.failures, p50, p99, most)
        return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolation", description=__doc__)
    parser.add_argument("--jobs", type=int, default=data.JOBS)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--attack", nargs=4, metavar=("KIND", "URL", "TOKEN", "JOB"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.attack:
        kind, url, secret, job_id = asked.attack
        asyncio.run({"searches": _search, "mutations": _mutate_and_leave}[kind](url, Party(secret, job_id)))
        return
    text = _table(_measured(asked.jobs, asked.seconds), asked)
    RESULT.write_text(text, "utf-8")
    print(f"{text}\nWritten to {RESULT}")


def _table(results: Sequence[Result], asked: argparse.Namespace) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    rows = "\n".join(each.row() for each in results)
    return f"""# One tenant beside another that asks for all it can

By `python -m benchmarks.isolation --jobs {asked.jobs} --seconds {asked.seconds:g}` on PostgreSQL,
{datetime.now(UTC):%d %B %Y}; the machine's load averages at the end were {load}.

The victim asks for one job at a time. *searches*: {CONNECTIONS} connections ask for 600 searches each; *mutations*:
{MUTATIONS} at once, whose clients leave after {1000 * BREATH_SECONDS:.0f} ms. *Another server* has the same database
and the same CPUs: what the victim waits for during an attack on it isn't due to the victim's server.
The servers have a CPU of their own; on the other one, the attackers run only when the victim and PostgreSQL don't.

| limits | attack | on | answers | failures | p50 ms | p99 ms | longest ms |
|---|---|---|---|---|---|---|---|
{rows}
"""


def _measured(jobs: int, seconds: float) -> list[Result]:
    results = []
    (compiled, *_) = every_server()
    with tempfile.TemporaryDirectory(prefix="mainsheet-isolation-") as folder, data.database() as database:
        data.fill(database, jobs)
        attacker, victim = asyncio.run(_parties(database))
        for limits, environment in (("default", {}), ("none", UNLIMITED)):
            server = replace(compiled, environment={**compiled.environment, **TWO_ORGANIZATIONS, **environment})
            servers = [server, replace(server, name="another")]
            with started(servers, database, Path(folder)) as (own, another), processor.started_on(OTHER_CPU):
                cases = [(each, on) for each in ATTACKS for on in ("the victim's server", "another server")]
                for attack, on in [("none", ""), *cases]:
                    attacked = another if on == "another server" else own
                    with _attacked(attack, attacked.url, attacker):
                        waits, failures = asyncio.run(_waits(own.url, victim, seconds))
                    results.append(Result(limits, attack, on, waits, failures))
                    print(results[-1].row(), flush=True)
    return results


async def _parties(url: str) -> tuple[Party, Party]:
    """Return an administrator of the benchmark's organization, and a member of another one."""
    database = Database.open(url)
    world = await make_world(database)
    victim = Party(await token(database, world.contributor), await Ask(database).create_job(world.contributor, world))
    await database.close()
    async with connected(url) as connection:
        await connection.execute("UPDATE actor SET organization_role = 'ADMIN' WHERE id = bench_id('MB', 1)")
        job_id = await connection.fetchval("SELECT bench_id('JB', 1)")
    (call, *_) = await data.calls(url)
    return Party(call.token, job_id), victim


@contextmanager
def _attacked(attack: str, url: str, attacker: Party) -> Iterator[None]:
    if attack == "none":
        yield
        return
    command = [sys.executable, "-m", "benchmarks.isolation", "--attack", attack, url, attacker.token, attacker.job_id]
    with subprocess.Popen(["chrt", "--idle", "0", *command], cwd=ROOT) as process:
        try:
            time.sleep(3)  # until it is at work
            yield
        finally:
            process.kill()


async def _waits(url: str, victim: Party, seconds: float) -> tuple[list[float], int]:
    """Return how long each answer took, and how many were failures."""
    waits, failures, body = [], 0, victim.body(POINT)
    headers = {**victim.headers(), "Content-Type": "application/json"}
    connector = TCPConnector(local_addr=(VICTIMS_ADDRESS, 0))
    async with ClientSession(headers=headers, connector=connector, timeout=ClientTimeout(60)) as http:
        until = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < until:
            async with http.post(url, data=body) as response:
                answer = await response.json()
            waits.append(time.perf_counter() - begun)
            failures += "errors" in answer
    return waits, failures


async def _search(url: str, attacker: Party) -> None:
    headers = {**attacker.headers(), "Content-Type": "application/json"}
    async with ClientSession(headers=headers, connector=TCPConnector(limit=0), timeout=ClientTimeout(600)) as http:

        async def search() -> None:
            while True:
                async with http.post(url, data=attacker.body(SEARCHES)) as response:
                    await response.read()

        await asyncio.gather(*[search() for _ in range(CONNECTIONS)])


async def _mutate_and_leave(url: str, attacker: Party) -> None:
    request = post(url, attacker.headers(), attacker.body(DESCRIBE))
    host, _, port = url.split("/")[2].partition(":")
    while True:
        opened = await asyncio.gather(*[asyncio.open_connection(host, int(port)) for _ in range(MUTATIONS)])
        for _, writer in opened:
            writer.write(request)
        await asyncio.sleep(BREATH_SECONDS)
        for _, writer in opened:
            writer.close()


if __name__ == "__main__":
    main()
