"""`python -m benchmarks.hosts`: two servers behind nginx, a primary and two replicas, each on a host of its own.

Hosts are network namespaces. First the reads per second of one and of two processes, each of which has the same share
of a CPU. Then hosts are cut off while clients read and change: what do the clients get? Only root can run it.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import data, processor
from benchmarks.cgroup import Group, group
from benchmarks.cut_hosts import CUT_SECONDS, HEAD, READERS, WRITERS, cut_offs
from benchmarks.load import burst, post
from benchmarks.servers import MAINSHEET, Server, started
from benchmarks.workloads import WORKLOADS, Call, as_mainsheet
from mainsheet.server.http.consistency import ANY, HEADER
from testbed.hosts import Host, hosts
from testbed.proxies import balancer
from testbed.replicated import replicated

RESULT = Path(__file__).parent / "results" / "hosts.md"
JOBS, CONNECTIONS, SHARE, ROUNDS, PORT = 1_000, 16, 0.15, 3, 8000
READ_SECONDS = 40  # of nginx, as in deploy/nginx.conf
# All clients are of one organization and have one address. What a process can answer is limited by its share.
OF_ALL = {
    "MAINSHEET_LOG_LEVEL": "warning",
    "MAINSHEET_ORGANIZATION_SHARE": "1",
    "MAINSHEET_QUEUE_SECONDS": "0",
    "MAINSHEET_POINTS_PER_MINUTE": "0",
    "MAINSHEET_DATABASE_SECONDS_PER_MINUTE": "0",
}


@dataclass(frozen=True)
class Place:
    """Where a server runs, and with how many processes."""

    name: str
    host: Host
    port: int
    workers: int
    group: Group

    @property
    def address(self) -> str:
        return f"{self.host.address}:{self.port}"

    def server(self, replica_urls: Sequence[str]) -> Server:
        options = ["--host", self.host.address, "--port", str(self.port), "--workers", str(self.workers)]
        command = [*self.host.enter, *self.group.enter, MAINSHEET, "serve", *options]
        environment = {**OF_ALL, "MAINSHEET_REPLICA_URLS": ",".join(replica_urls)}
        return Server(self.name, self.name, command, as_mainsheet, str, environment)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hosts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each measure")
    seconds = parser.parse_args().seconds
    text = asyncio.run(_run(seconds))
    RESULT.write_text(text, "utf-8")
    print(text)


async def _run(seconds: float) -> str:
    with ExitStack() as stack:
        one, two, proxy, *others = stack.enter_context(hosts(6))
        places = [
            Place("one", one, PORT, 1, stack.enter_context(group(f"mainsheet-{os.getpid()}-one"))),
            Place("two", two, PORT, 1, stack.enter_context(group(f"mainsheet-{os.getpid()}-two"))),
            Place("pair", one, PORT + 1, 2, stack.enter_context(group(f"mainsheet-{os.getpid()}-pair"))),
        ]
        async with replicated(others) as databases:
            await asyncio.to_thread(data.fill, databases.direct_url, JOBS)
            calls = await data.calls(databases.direct_url)
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mainsheet-bench-")))
            with started([each.server(databases.urls) for each in places], databases.url, logs) as servers:
                load = os.getloadavg()[0]
                pids = {place: each.pid for place, each in zip(places, servers, strict=True)}
                rounds = await _rounds(pids, proxy, calls, seconds)
                with balanced(proxy, PORT + 9, places[:2]) as url:
                    rows = await cut_offs(url, databases, one, proxy, calls)
    return _text(rounds, rows, seconds, load)


@dataclass(frozen=True)
class Round:
    reads: float  # per second
    cpus: float  # that the servers used


async def _rounds(
    pids: Mapping[Place, int], proxy: Host, calls: Sequence[Call], seconds: float
) -> dict[str, list[Round]]:
    """Return the rounds of reads, by what serves them."""
    one, two, pair = pids
    kinds = {"1 server, 1 process": [one], "2 servers, 1 process each": [one, two], "1 server, 2 processes": [pair]}
    found: dict[str, list[Round]] = {kind: [] for kind in kinds}
    with ExitStack() as stack:
        for each in pids:
            each.group.limit(SHARE * each.workers)
        urls = {
            kind: stack.enter_context(balanced(proxy, PORT + number, used))
            for number, (kind, used) in enumerate(kinds.items())
        }
        for number in range(ROUNDS + 1):
            for kind, url in urls.items():
                before = [processor.tree(pids[each]) for each in kinds[kind]]
                answers = await burst(url, _requests(url, calls), CONNECTIONS, seconds)
                after = [processor.tree(pids[each]) for each in kinds[kind]]
                used = sum(map(processor.spent, before, after))
                if number:  # the first round warms up
                    found[kind].append(Round(len(answers) / seconds, used / seconds))
        for each in pids:
            each.group.limit(1)
    return found


@contextmanager
def balanced(proxy: Host, port: int, places: Sequence[Place]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="mainsheet-proxy-") as folder:
        address, servers = f"{proxy.address}:{port}", [each.address for each in places]
        with balancer(Path(folder), address, servers, READ_SECONDS, proxy.enter_unprivileged) as url:
            yield url


def _requests(url: str, calls: Sequence[Call]) -> list[bytes]:
    point = WORKLOADS[0]
    plain = [as_mainsheet(url, point, each)[1].partition(b"\r\n\r\n")[2] for each in calls]
    return [
        post(url, {"Authorization": f"Bearer {each.token}", HEADER: ANY}, body)
        for each, body in zip(calls, plain, strict=True)
    ]


def _text(rounds: dict[str, list[Round]], rows: Sequence[str], seconds: float, load: float) -> str:
    base = median(each.reads for each in next(iter(rounds.values())))
    lines = [_row(kind, own, base) for kind, own in rounds.items()]
    rate_rows, cut_rows = "\n".join(lines), "\n".join(rows)
    return f"""# Several hosts

By `python -m benchmarks.hosts --seconds {seconds:g}` on {datetime.now(UTC):%d %B %Y}, with a load average of {load:.1f}
on {os.cpu_count()} CPUs before. Two servers, a primary, two replicas and nginx (`deploy/nginx.conf`) are on a host
each, which is a network namespace; all share this machine. {JOBS:,} jobs.

## Reads per second

W1 of the other benchmarks, over {CONNECTIONS} connections to nginx, read from the replicas (`{HEADER}: {ANY}`).
Each process has {SHARE:.0%} of a CPU (a control group with a quota, and a weight so that it gets it beside others), so
twice the processes have twice the CPU. *CPUs* are what the servers' processes used.
Medians of {ROUNDS} rounds.

| | reads per second | of all rounds | times the first | CPUs | CPU ms of a read |
|---|---|---|---|---|---|
{rate_rows}

## A host is cut off

Clients send one request after the other: {READERS} read from replicas, {WRITERS} change a job. The host is cut off for
{CUT_SECONDS} seconds. *Unsure* is 502 of nginx, or 500: the request was sent, and its answer was lost. Times are
seconds since the cut; *first good* is the first good answer to a request that began after it.

{HEAD}
{cut_rows}
"""


def _row(kind: str, rounds: Sequence[Round], base: float) -> str:
    reads = [each.reads for each in rounds]
    cost = median(1000 * each.cpus / each.reads for each in rounds)
    cells = [kind, f"{median(reads):.0f}", f"{min(reads):.0f} to {max(reads):.0f}", f"{median(reads) / base:.2f}"]
    return f"| {' | '.join([*cells, f'{median(each.cpus for each in rounds):.2f}', f'{cost:.2f}'])} |"


if __name__ == "__main__":
    main()
