"""`python -m benchmarks.mutations`: what mutations cost beside 0.1.0, which had no feed of events.

Both servers do the same to the same rows, in interleaved rounds: describe a job, or create and publish a draft.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

import orjson

from benchmarks import data, processor, release
from benchmarks.load import ask, burst, post
from benchmarks.processor import spent, tree
from benchmarks.servers import OTHER_CPU, Running, every_server, on_database, started
from testbed.databases import execute

RESULT = Path(__file__).parent / "results/mutations.md"
JOBS = 1_000
CONNECTIONS = 4
REQUESTS = 2_000  # in a turn, or fewer
GOAL = 1.15
OPERATIONS = {
    "describe a job": """mutation ($id: ID!, $text: String!) {
      updateJob(input: {jobId: $id, description: $text}) { job { id } userErrors { code } } }""",
    "create and publish a draft": """mutation ($id: ID!, $text: String!) {
      createDraft(input: {jobId: $id}) { userErrors { code } }
      publishDraft(input: {jobId: $id, message: $text}) { userErrors { code } } }""",
}
numbers = count(1)


@dataclass(frozen=True)
class Sample:
    server: str
    operation: str
    server_ms: float
    database_ms: float

    @property
    def both_ms(self) -> float:
        return self.server_ms + self.database_ms


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutations", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    asked = parser.parse_args()
    servers = [every_server()[0], release.SERVER]
    with tempfile.TemporaryDirectory(prefix="mainsheet-mutations-") as logs, data.database() as url:
        data.fill(url, JOBS)
        release.fill(url, JOBS)
        with started(servers, url, Path(logs)) as running, processor.started_on(OTHER_CPU):
            samples = asyncio.run(_samples(running, url, asked.rounds, asked.seconds))
    text = _table(samples, asked)
    RESULT.write_text(text, "utf-8")
    print(f"{text}\nWritten to {RESULT}")


async def _samples(servers: Sequence[Running], url: str, rounds: int, seconds: float) -> list[Sample]:
    token = await _administrator(url)
    postmaster, _ = await data.postmaster(url)
    samples = []
    for operation in OPERATIONS:
        for each in servers:
            await _verify(each, operation, token)
        for number in range(rounds + 1):
            for each in servers if number % 2 else reversed(servers):
                found = await _turn(each, operation, token, postmaster, seconds)
                samples += [found] if number else []  # the first round is for warming up
    return samples


async def _administrator(url: str) -> str:
    """Return the token of an administrator of both databases."""
    (call, *_) = await data.calls(url)
    await execute(url, f"UPDATE actor SET organization_role = 'ADMIN' WHERE id = '{call.actor_id}'")
    other = on_database(url, release.DATABASE)
    await execute(other, f"UPDATE member SET organization_role = 'ADMIN' WHERE id = '{call.actor_id}'")
    await release.copy_tokens(url)
    return call.token


def _request(server: Running, operation: str, token: str) -> bytes:
    """Return a request that changes another job than the one before, and to something new."""
    number = next(numbers)
    variables = {"id": f"JB{1 + number % JOBS:018}", "text": f"Text {number}"}
    body = orjson.dumps({"query": OPERATIONS[operation], "variables": variables})
    return post(server.url, {"Authorization": f"Bearer {token}"}, body)


async def _verify(server: Running, operation: str, token: str) -> None:
    answer = orjson.loads(await ask(server.url, _request(server, operation, token)))
    problems = [each["userErrors"] for each in answer["data"].values() if each["userErrors"]]
    assert not problems, (server.server.name, problems)


async def _turn(running: Running, operation: str, token: str, postmaster: int, seconds: float) -> Sample:
    requests = [_request(running, operation, token) for _ in range(REQUESTS)]
    server, database = tree(running.pid), tree(postmaster)
    done = len(await burst(running.url, requests, CONNECTIONS, seconds))
    return Sample(
        running.server.name,
        operation,
        1000 * spent(server, tree(running.pid)) / done,
        1000 * spent(database, tree(postmaster)) / done,
    )


def _table(samples: Sequence[Sample], asked: argparse.Namespace) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    rows = "\n".join(_row(samples, operation) for operation in OPERATIONS)
    return f"""# What mutations cost beside release {release.VERSION}

By `python -m benchmarks.mutations --rounds {asked.rounds} --seconds {asked.seconds:g}` on PostgreSQL,
{datetime.now(UTC):%d %B %Y}; the machine's load averages at the end were {load}.

CPU milliseconds for each request, of the server / of PostgreSQL: medians of interleaved rounds. The release had a
history of each job, but no feed of all events. The goal is a sum of at most {GOAL} times the release's.

| operation | this version | release {release.VERSION} | server, times | database, times | sum, times |
|---|---|---|---|---|---|
{rows}
"""


def _row(samples: Sequence[Sample], operation: str) -> str:
    own = {
        name: [each for each in samples if (each.server, each.operation) == (name, operation)]
        for name in ("mainsheet", "release")
    }
    middle = {
        name: [
            median(each.server_ms for each in found),
            median(each.database_ms for each in found),
            median(each.both_ms for each in found),
        ]
        for name, found in own.items()
    }
    cells = [f"{server:.2f} / {database:.2f}" for server, database, _ in middle.values()]
    times = [f"{new / old:.2f}" for new, old in zip(middle["mainsheet"], middle["release"], strict=True)]
    return f"| {' | '.join([operation, *cells, *times])} |"


if __name__ == "__main__":
    main()
