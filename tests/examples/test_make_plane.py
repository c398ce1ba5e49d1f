"""`make plane` executes the runs of the demo beside a server, as `examples/plane/README.md` says."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from threading import Timer
from typing import Any

from aiohttp import ClientSession

from tests.server.commands import PATIENCE, Serving, clean, serving

ROOT = Path(__file__).parents[2]
ADMIN = "admin@harbor.example"
READY = "{ jobs(first: 1, filter: {hasSchedule: false}) { nodes { id jobKey } } }"
TRIGGER = "mutation ($id: ID!) { triggerRun(input: {jobId: $id}) { run { id } userErrors { message } } }"
RUN = "query ($id: ID!) { node(id: $id) { ... on JobRun { status } } }"


@contextmanager
def plane(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run `make plane` in a process group of its own, as a terminal does. It is killed after `PATIENCE` seconds."""
    command = ["env", "--default-signal=INT", "make", "plane"]  # a script's background jobs ignore Ctrl-C
    with subprocess.Popen(
        command, cwd=ROOT, env=clean(environment), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        end = Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
        end.start()
        try:
            yield process
        finally:
            end.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


async def send(server: Serving, query: str, **variables: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {server.tokens[ADMIN]}"}
    body = {"query": query, "variables": variables}
    async with ClientSession(headers=headers) as http, http.post(server.url, json=body) as response:
        data: dict[str, Any] = (await response.json())["data"]
        return data


async def test_make_plane_executes_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
    with serving("--demo", "--database-url", url) as server:
        (job,) = (await send(server, READY))["jobs"]["nodes"]
        run_id = (await send(server, TRIGGER, id=job["id"]))["triggerRun"]["run"]["id"]
        begun = f"{run_id} of {job['jobKey']}: attempt 1 begins\n"

        with plane(MAINSHEET_DATABASE_URL=url, MAINSHEET_URL=server.url) as process:
            assert process.stderr
            seen = list(takewhile(lambda line: not line.endswith(begun), process.stderr))
            assert process.poll() is None, seen
            os.killpg(process.pid, signal.SIGINT)
            seen += process.stderr

        assert "Traceback" not in "".join(seen)
        assert (await send(server, RUN, id=run_id))["node"]["status"] == "RUNNING"

        refused = await asyncio.to_thread(run_module, "examples.plane", PLANE_TOKEN="none", MAINSHEET_URL=server.url)
        other = await asyncio.to_thread(
            run_module, "examples.plane.account", ADMIN_TOKEN="none", MAINSHEET_URL=server.url
        )
    for each in (refused, other):
        assert (each.returncode, each.stdout) == (1, "")
        assert each.stderr.startswith("The server refused an operation: ")


def run_module(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", name]
    return subprocess.run(
        command, cwd=ROOT, env=clean(environment), capture_output=True, text=True, check=False, timeout=PATIENCE
    )
