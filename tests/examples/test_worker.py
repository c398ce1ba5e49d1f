"""The plane's worker goes on when an execution or a report fails, and claims from all clusters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from examples.plane.client import Refused
from examples.plane.worker import CLAIM, CLUSTERS, Claim, Execute, Worker

PAGES = {None: ("CL1", "next"), "next": ("CL2", None)}
LONG = "x" * 2000
OK: dict[str, Any] = {"cancelRequested": False, "leaseExpiresAt": None, "userErrors": []}


@dataclass
class Plane:
    """Answers as a server does that has two pages of clusters, each with some runs, and keeps the last reports."""

    runs: dict[str, list[str]]
    refused: str = ""
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_done: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    async def ask(self, query: str, **given: Any) -> dict[str, Any]:
        if query == CLUSTERS:
            cluster, after = PAGES[given.get("after")]
            page = {"hasNextPage": after is not None, "endCursor": after}
            return {"clusters": {"nodes": [{"id": cluster}], "pageInfo": page}}
        if query == CLAIM:
            claimed = [each for cluster in given["clusterIds"] for each in self.runs.pop(cluster, ())]
            return {"claimRuns": {"runs": [claim(each) for each in claimed], "userErrors": []}}
        return {
            "reportRuns": {"results": [self.report(each) for each in self.checked(given["reports"])], "userErrors": []}
        }

    def checked(self, reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(each["runId"] == self.refused for each in reports):
            raise Refused("The report is refused.")
        return reports

    def report(self, report: dict[str, Any]) -> dict[str, Any]:
        if report["state"] != "RUNNING":
            self.ended[report["runId"]] = report
            if len(self.ended) == self.count:
                self.is_done.set()
        return OK

    @asynccontextmanager
    async def worked(self, execute: Execute) -> AsyncIterator[None]:
        self.count = sum(map(len, self.runs.values())) - bool(self.refused)
        work = asyncio.create_task(Worker(self.ask, execute, poll_seconds=0).work())
        done = asyncio.create_task(self.is_done.wait())
        await asyncio.wait((work, done), return_when=asyncio.FIRST_COMPLETED, timeout=30)
        yield
        for each in (work, done):
            each.cancel()
        await asyncio.wait((work, done))


def claim(run_id: str) -> Claim:
    return {"attempt": 1, "run": {"id": run_id, "job": {"jobKey": "daily"}, "version": {"timeoutSeconds": 60}}}


async def test_an_unexpected_exception_fails_only_its_run() -> None:
    async def execute(claim: Claim) -> None:
        if claim["run"]["id"] == "RU1":
            raise ValueError(LONG)

    plane = Plane({"CL1": ["RU1", "RU2"]})
    async with plane.worked(execute):
        assert {name: each["state"] for name, each in plane.ended.items()} == {"RU1": "FAILED", "RU2": "SUCCEEDED"}
        assert plane.ended["RU1"]["error"] == {"message": f"ValueError: {LONG}"[:1023]}


async def test_a_refused_report_fails_only_its_run() -> None:
    async def execute(claim: Claim) -> None:
        pass

    plane = Plane({"CL1": ["RU1", "RU2", "RU3"]}, refused="RU2")
    async with plane.worked(execute):
        assert {name: each["state"] for name, each in plane.ended.items()} == {"RU1": "SUCCEEDED", "RU3": "SUCCEEDED"}


async def test_runs_of_all_pages_of_clusters_are_claimed() -> None:
    async def execute(claim: Claim) -> None:
        pass

    plane = Plane({"CL1": ["RU1"], "CL2": ["RU2"]})
    async with plane.worked(execute):
        assert set(plane.ended) == {"RU1", "RU2"}
