"""Claims runs, executes them, and reports on them."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from examples.plane.client import Ask

CLUSTERS = "query PlaneClusters { clusters(limit: 100) { nodes { id } } }"
CLAIM = """
mutation PlaneClaim($clusterIds: [ID!]!, $limit: Int!, $leaseSeconds: Int!, $key: String!) {
  claimRuns(
    input: {clusterIds: $clusterIds, limit: $limit, leaseSeconds: $leaseSeconds, idempotencyKey: $key}
  ) {
    runs { attempt run { id job { jobKey } version { timeoutSeconds } } }
    userErrors { message }
  }
}
"""
REPORT = """
mutation PlaneReport($reports: [RunReportInput!]!) {
  reportRuns(input: {reports: $reports}) {
    results { cancelRequested leaseExpiresAt userErrors { code message } }
    userErrors { message }
  }
}
"""
AT_ONCE = 100  # as many reports as the server takes in one request
Claim = dict[str, Any]
Execute = Callable[[Claim], Coroutine[None, None, None]]


class RunFailed(Exception):
    """The execution failed."""


class LeaseLost(Exception):
    """The run isn't this worker's any more. Another one may execute it now."""


class CancelRequested(Exception):
    """The run is to be cancelled."""


@dataclass
class Reporter:
    """Sends the reports of all runs, those that came during a request together in the next one."""

    ask: Ask
    waiting: list[tuple[dict[str, Any], asyncio.Future[dict[str, Any]]]] = field(default_factory=list)
    has_more: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, **report: Any) -> dict[str, Any]:
        """Send a report and return its result. Raises `LeaseLost`."""
        result: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting.append((report, result))
        self.has_more.set()
        answer = await result
        if any(error["code"] in {"RUN_LEASE_LOST", "RUN_NOT_FOUND"} for error in answer["userErrors"]):
            raise LeaseLost
        return answer

    async def work(self) -> None:
        while True:
            await self.has_more.wait()
            batch, self.waiting = self.waiting[:AT_ONCE], self.waiting[AT_ONCE:]
            if not self.waiting:
                self.has_more.clear()
            answer = await self.ask(REPORT, reports=[report for report, _ in batch])
            for (_, result), each in zip(batch, answer["reportRuns"]["results"], strict=True):
                if not result.done():
                    result.set_result(each)


@dataclass
class Worker:
    """Executes at most `size` runs at once. It renews each lease after a third of its time."""

    ask: Ask
    execute: Execute
    size: int = 10
    lease_seconds: int = 30
    poll_seconds: float = 1.0
    running: set[asyncio.Task[None]] = field(default_factory=set)
    clusters: list[str] = field(default_factory=list)

    async def work(self) -> None:
        report = Reporter(self.ask)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(report.work())
            while True:
                for claim, until in await self._claim(self.size - len(self.running)):
                    task = tasks.create_task(Attempt(claim, until, self.lease_seconds, self.execute, report).work())
                    self.running.add(task)
                    task.add_done_callback(self.running.discard)
                await self._free()

    async def _claim(self, limit: int) -> list[tuple[Claim, float]]:
        """Return claims, each with the time until which this worker may rely on its lease."""
        if not self.clusters:
            self.clusters = [each["id"] for each in (await self.ask(CLUSTERS))["clusters"]["nodes"]]
        key, asked_at = uuid4().hex, time.monotonic()
        given = {"clusterIds": self.clusters, "limit": limit, "leaseSeconds": self.lease_seconds, "key": key}
        claims = (await self.ask(CLAIM, **given))["claimRuns"]["runs"]
        if not claims:
            self.clusters = []  # there may be a new one
        return [(claim, asked_at + self.lease_seconds) for claim in claims]

    async def _free(self) -> None:
        """Wait until there is room, and for more of it: one claim of many runs costs less than many of one."""
        if len(self.running) >= self.size:
            await asyncio.wait(self.running, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(self.poll_seconds)


@dataclass
class Attempt:
    """The execution of one claim. It ends with the lease at the latest, whether or not the server can be reached."""

    claim: Claim
    until: float
    lease_seconds: int
    execute: Execute
    report: Reporter

    async def work(self) -> None:
        try:
            await self._tell(**await self._outcome())
        except LeaseLost:
            return

    async def _outcome(self) -> dict[str, Any]:
        """Execute the run and renew its lease meanwhile. Return the last report. Raises `LeaseLost`."""
        try:
            async with asyncio.timeout(self.claim["run"]["version"]["timeoutSeconds"]):
                await self._execute()
        except TimeoutError:
            return {"state": "FAILED", "error": {"message": "The run took too long.", "code": "TIMEOUT"}}
        except CancelRequested:
            return {"state": "CANCELLED"}
        except RunFailed as error:
            return {"state": "FAILED", "error": {"message": str(error)}}
        return {"state": "SUCCEEDED"}

    async def _execute(self) -> None:
        await self._renew()
        both: list[asyncio.Task[None]] = []
        both += map(asyncio.create_task, (self.execute(self.claim), self._keep()))
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.wait(both)
        for each in done:
            each.result()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            await self._renew()

    async def _renew(self) -> None:
        """Raises `CancelRequested`, or `LeaseLost` if there is no answer before the lease ends."""
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(self.until - asked_at):
                answer = await self._tell(state="RUNNING")
        except TimeoutError:
            raise LeaseLost from None
        self.until = asked_at + self.lease_seconds
        if answer["cancelRequested"]:
            raise CancelRequested

    async def _tell(self, **values: Any) -> dict[str, Any]:
        own = {"runId": self.claim["run"]["id"], "attempt": self.claim["attempt"], "leaseSeconds": self.lease_seconds}
        return await self.report(**own, **values)
