"""`python -m benchmarks.overload`: what servers answer in time when they are asked for more than they can.

The capacity of a server is how many requests it answers to a few connections that send the next one at once. Requests
arrive at multiples of that rate, however slowly they are answered, from clients who wait for a second. Half of them are
W1 and half W2, from all callers in turn. The capacity is measured before and after each rate, as the machine's speed
changes; the mean of both counts. A server has at most ten connections to PostgreSQL and shares a CPU with it; the
clients have the other one, so that sending requests takes no time of theirs. All is done three times, with servers
started anew. Twenty minutes.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Self

import orjson

from benchmarks import data, processor
from benchmarks.arrivals import Outcome, Plan
from benchmarks.load import BadAnswer, ask, burst
from benchmarks.overload_plot import Line, plot
from benchmarks.servers import OTHER_CPU, ROOT, SERVER_CPU, Running, Server, every_server, started
from benchmarks.workloads import WORKLOADS, Call

RESULT = Path(__file__).parent / "results" / "overload.md"
SERVERS = ("mainsheet", "postgraphile", "apollo")
UNLIMITED = "unlimited"  # Mainsheet without the limit
KINDS = WORKLOADS[:2]
TIMES = (0.5, 1, 2, 5, 10)
CONNECTIONS = 16
ROUNDS = 3
WARM_UP_SECONDS = 3
REST_SECONDS = 3
RECOVERY_SECONDS = 180
# All clients have one address.
OF_ALL = {"MAINSHEET_MAX_CONNECTIONS_PER_ADDRESS": "1000000"}
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    title: str
    capacity: float
    times: float
    outcome: Outcome
    server_cpu: float
    memory: float

    @classmethod
    def of_all(cls, rounds: "Sequence[Sample]") -> Self:
        """Return what was measured at one rate in all rounds."""
        outcome = Outcome.of_all([each.outcome for each in rounds])
        capacity, cpu = fmean(each.capacity for each in rounds), fmean(each.server_cpu for each in rounds)
        return cls(rounds[0].title, capacity, rounds[0].times, outcome, cpu, max(each.memory for each in rounds))

    @property
    def share(self) -> float:
        """Return the good answers as a share of the capacity, of the kind that has fewer: the other one is cheaper."""
        fewest = min(map(len, self.outcome.waits)) / self.outcome.seconds
        return len(KINDS) * fewest / self.capacity

    def row(self) -> str:
        outcome = self.outcome
        waits = [f"{_ms(each, 0.5)} / {_ms(each, 0.99)}" for each in outcome.waits]
        cells = [
            self.title,
            f"{self.times:g}",
            f"{outcome.sent / outcome.seconds:.0f}",
            f"{outcome.good:.0f} ({' + '.join(f'{len(each) / outcome.seconds:.0f}' for each in outcome.waits)})",
            f"{100 * self.share:.0f} %",
            *waits,
            f"{outcome.refused} ({_ms(outcome.refusal_waits, 0.5)})",
            f"{outcome.late}",
            f"{outcome.lost + outcome.failed}",
            f"{self.server_cpu:.2f} / {outcome.cpu:.2f}",
            f"{self.memory:.0f}",
        ]
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| server | times the capacity | a second | good a second (W1 + W2) | of the capacity"
    " | W1 ms: p50 / p99 | W2 ms: p50 / p99 | 503 (p50 ms) | late | lost, failed | CPUs: server / clients | MiB |\n"
    f"|{'---|' * 12}"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="of each rate in each round")
    parser.add_argument("--only", type=lambda names: names.split(","), help="these servers: mainsheet,unlimited,…")
    asked = parser.parse_args()
    samples = list(_measured(asked.only or [UNLIMITED, *SERVERS], asked.seconds))
    text = _text(samples, asked.seconds)
    RESULT.write_text(text, "utf-8")
    RESULT.with_suffix(".svg").write_text(plot(_lines(samples), TIMES), "utf-8")
    print(f"\n{text}\nWritten to {RESULT} and .svg")


def _measured(names: Sequence[str], seconds: float) -> Iterator[Sample]:
    chosen = [each for each in _servers() if each.name in names]
    rounds: dict[tuple[str, float], list[Sample]] = {}
    with tempfile.TemporaryDirectory(prefix="mainsheet-overload-") as logs, data.database(SERVER_CPU) as url:
        data.fill(url)
        calls = asyncio.run(data.calls(url))
        for server in chosen * ROUNDS:
            with started([server], url, Path(logs)) as (running,), processor.started_on(OTHER_CPU):
                for each in _samples(running, calls, seconds):
                    rounds.setdefault((each.title, each.times), []).append(each)
    titles = [each.title for each in chosen]
    for _, samples in sorted(rounds.items(), key=lambda item: (titles.index(item[0][0]), item[0][1])):
        yield Sample.of_all(samples)


def _servers() -> Iterator[Server]:
    for each in every_server():
        if each.name in SERVERS:
            yield replace(each, environment={**each.environment, **OF_ALL})
        if each.name == "mainsheet":
            environment = {**each.environment, **OF_ALL, "MAINSHEET_QUEUE_SECONDS": "0"}
            yield replace(
                each, name=UNLIMITED, title=f"{each.title}, MAINSHEET_QUEUE_SECONDS=0", environment=environment
            )


def _samples(running: Running, calls: Sequence[Call], seconds: float) -> Iterator[Sample]:
    asked = [[running.request(kind, call) for call in calls] for kind in KINDS]
    url, kinds = asked[0][0][0], [[request for _, request in kind] for kind in asked]
    mixed = [each for pair in zip(*kinds, strict=True) for each in pair]
    asyncio.run(burst(url, mixed, CONNECTIONS, WARM_UP_SECONDS))
    before = _capacity(url, mixed, seconds / 2)
    for times in TIMES:
        with _cpu(running.pid) as used:
            outcome = _offered(url, kinds, before * times, seconds)
        memory = _memory(running.pid)
        _recover(url, mixed[0])
        after = _capacity(url, mixed, seconds / 2)
        sample = Sample(running.server.title, (before + after) / 2, times, outcome, used[0], memory)
        print(sample.row(), flush=True)
        yield sample
        before = after


def _recover(url: str, request: bytes) -> None:
    """Wait until the server has done what is left over: then it answers a request. Raises `TimeoutError`."""
    until = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < until:
        time.sleep(REST_SECONDS)
        with suppress(BadAnswer, OSError):  # `TimeoutError` is one
            asyncio.run(ask(url, request))
            return
    raise TimeoutError(f"{url} hasn't recovered from overload")


def _capacity(url: str, requests: list[bytes], seconds: float) -> float:
    began = time.perf_counter()
    answers = len(asyncio.run(burst(url, requests, CONNECTIONS, seconds)))
    return answers / (time.perf_counter() - began)


def _offered(url: str, kinds: list[list[bytes]], rate: float, seconds: float) -> Outcome:
    """Let a process of its own send requests, so that they are sent in time."""
    plan = Plan(url, [[each.decode() for each in kind] for kind in kinds], rate, seconds)
    command = [sys.executable, "-m", "benchmarks.arrivals"]
    done = subprocess.run(command, cwd=ROOT, input=orjson.dumps(asdict(plan)), stdout=subprocess.PIPE, check=True)
    return Outcome(**orjson.loads(done.stdout))


@contextmanager
def _cpu(pid: int) -> Iterator[list[float]]:
    """Put the CPUs that a process has used inside into the list, at the end."""
    used: list[float] = []
    before, began = processor.seconds(pid), time.perf_counter()
    yield used
    used.append((processor.seconds(pid) - before) / (time.perf_counter() - began))


def _memory(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / 2**20


def _ms(waits: Sequence[float], quantile: float) -> str:
    return f"{1000 * sorted(waits)[int(len(waits) * quantile)]:.0f}" if waits else "-"


def _lines(samples: Sequence[Sample]) -> list[Line]:
    titles = dict.fromkeys(each.title for each in samples)
    return [Line(title, [each.share for each in samples if each.title == title]) for title in titles]


def _text(samples: Sequence[Sample], seconds: float) -> str:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    rows = "\n".join(each.row() for each in samples)
    return f"""# More requests than a server can answer

By `python -m benchmarks.overload --seconds {seconds:g}` on PostgreSQL, {datetime.now(UTC):%d %B %Y}; the machine's load
averages at the end were {load}.

*Good* are answers with status 200 within a second, after which the client leaves. The server's capacity is what it
answers to {CONNECTIONS} connections, measured before and after each rate. Offered are multiples of what it was before;
the shares are those of the mean. Half of the requests are W1, half are W2. PostgreSQL shares the server's CPU; the
clients have the other one, which is a thread of the same core on our machine. Each rate was offered in {ROUNDS} rounds.
*Of the capacity* is the share of W1 or of W2, whichever is smaller: a server that leaves the large requests unanswered
has time for many small ones.

![Good answers by the offered load, both as multiples of the capacity](overload.svg)

{HEAD}
{rows}
"""


if __name__ == "__main__":
    main()
