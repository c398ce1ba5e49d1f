"""The measuring instruments of the benchmarks, tested with known quantities."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web

from benchmarks import processor
from benchmarks.answers import alike
from benchmarks.facts import Facts
from benchmarks.load import BadAnswer, ask, burst, post
from benchmarks.measure import Sample
from benchmarks.plot import plot
from benchmarks.report import report
from benchmarks.workloads import WORKLOADS

BURN = "import os, time\nif os.fork(): os.wait()\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
FACTS = Facts("2026-01-02", {"hand": "hand", "ours": "Ours & theirs"}, [])
SAMPLES = [
    Sample(name, each.name, server, 1, 3)
    for each in WORKLOADS
    for name, server in (("hand", 2), ("ours", 3), ("ours", 5), ("ours", 90))
]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/errors":
            return web.json_response({"errors": [], "data": None})
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for part in (b'{"data":', await request.read(), b"}"):
            await response.write(part)
        return response

    app = web.Application()
    app.router.add_post("/{any}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads the kernel's clocks of Linux")
def test_cpu_time_includes_children_but_not_the_measurer() -> None:
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        while time.process_time() < 0.1:
            pass
        found = processor.tree(process.pid)
        process.kill()

    assert len(found) == 2
    assert os.getpid() not in found
    assert processor.spent({}, found) > 0.2


async def test_a_chunked_response_is_assembled(url: str) -> None:
    assert await ask(f"{url}/data", post(f"{url}/data", {}, b"[1]")) == b'{"data":[1]}'


async def test_a_burst_counts_each_response(url: str) -> None:
    waits = await burst(url, [post(f"{url}/data", {}, b"1")], connections=3, seconds=0)

    assert len(waits) == 3


async def test_a_response_with_errors_stops_the_measurement(url: str) -> None:
    with pytest.raises(BadAnswer):
        await asyncio.wait_for(burst(url, [post(f"{url}/errors", {}, b"")], connections=2, seconds=5), 10)


def test_times_are_compared_as_times() -> None:
    assert alike({"createdAt": "2026-01-02T03:04:05.000Z"}) == alike({"createdAt": "2026-01-02T05:04:05+02:00"})
    assert alike({"createdAt": "2026-01-02T03:04:05Z"}) != alike({"createdAt": "2026-01-02T03:04:06Z"})


def test_the_report_has_medians_and_their_ratio_to_hand() -> None:
    text = report(FACTS, SAMPLES, "table.svg")

    assert "| Ours & theirs | 5.00 / 1.00 | 5.00 / 1.00 | 5.00 / 1.00 |" in text
    assert "| Ours & theirs | 5.00 (3.00 - 90.0) | 1.00 (1.00 - 1.00) | 6.00 | 2.50 | 3.00 |" in text


def test_the_plot_has_each_server_and_workload() -> None:
    texts = [each.text for each in ET.fromstring(plot(FACTS, SAMPLES)).iter() if each.text]

    assert texts.count("Ours & theirs") == len(WORKLOADS)
    assert texts.count("5.00 → 6.00") == len(WORKLOADS)
    assert plot(FACTS, SAMPLES) != plot(FACTS, [replace(each, server_ms=4) for each in SAMPLES])
