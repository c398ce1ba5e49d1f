"""Interleaved rounds: in each, every server has one turn, so that the machine's mood hits all alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import burst
from benchmarks.processor import spent, tree
from benchmarks.servers import Running
from benchmarks.workloads import WORKLOADS, Call, Workload

CONNECTIONS = 8


@dataclass(frozen=True)
class Effort:
    rounds: int
    warm_up_seconds: float
    seconds: float


@dataclass(frozen=True)
class Sample:
    """One turn: milliseconds of CPU per request, and of waiting for one answer when nobody else asks."""

    server: str
    workload: str
    server_ms: float
    database_ms: float
    p50_ms: float


async def measure(
    servers: Sequence[Running], calls: Sequence[Call], postmaster: int, effort: Effort, tell: Callable[[Sample], None]
) -> list[Sample]:
    samples = []
    for workload in WORKLOADS:
        for each in servers:
            url, requests = _requests(each, workload, calls)
            await burst(url, requests, CONNECTIONS, effort.warm_up_seconds)
        for number in range(effort.rounds):
            for each in servers if number % 2 else reversed(servers):
                samples.append(await _turn(each, workload, calls, postmaster, effort.seconds))
                tell(samples[-1])
    return samples


async def _turn(running: Running, workload: Workload, calls: Sequence[Call], postmaster: int, seconds: float) -> Sample:
    url, requests = _requests(running, workload, calls)
    waits = await burst(url, requests, 1, seconds / 4)
    server, database = tree(running.pid), tree(postmaster)
    count = len(await burst(url, requests, CONNECTIONS, seconds))
    return Sample(
        running.server.name,
        workload.name,
        1000 * spent(server, tree(running.pid)) / count,
        1000 * spent(database, tree(postmaster)) / count,
        1000 * median(waits),
    )


def _requests(running: Running, workload: Workload, calls: Sequence[Call]) -> tuple[str, list[bytes]]:
    urls, requests = zip(*[running.request(workload, call) for call in calls], strict=True)
    return urls[0], list(requests)
