"""Claims runs, executes them, and reports on them."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from examples.plane.client import Ask, Refused

CLUSTERS = """
query PlaneClusters($after: String) {
  clusters(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}
"""
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
LONGEST_MESSAGE = 1023
log = logging.getLogger(__name__)
Claim = dict[str, Any]
Waiting = tuple[dict[str, Any], asyncio.Future[dict[str, Any]]]  # a report and its result
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
    waiting: list[Waiting] = field(default_factory=list)
    has_more: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, **report: Any) -> dict[str, Any]:
        """Send a report and return its result. Raises `LeaseLost`, or `Refused`."""
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
            await self._send(batch)

    async def _send(self, batch: list[Waiting]) -> None:
        """Send the reports together. If the server refuses them, send each alone, so that only the bad one fails."""
        try:
            results = await self._results([report for report, _ in batch])
        except Refused as error:
            if len(batch) > 1:
                for one in batch:
                    await self._send([one])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, result), each in zip(batch, results, strict=True):
            if not result.done():
                result.set_result(each)

    async def _results(self, reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = (await self.ask(REPORT, reports=reports))["reportRuns"]
        if answer["userErrors"]:
            raise Refused("; ".join(each["message"] for each in answer["userErrors"]))
        results: list[dict[str, Any]] = answer["results"]
        return results


@dataclass
class Worker:
    """Executes at most `size` runs at once. It renews each lease after a third of its time."""

    ask: Ask
    execute: Execute
    size: int = 10
    lease_seconds: int = 30
    poll_seconds: float = 1.0
    running: set[asyncio.Task[None]] = field(default_factory=set)
    after: str | None = None  # the cursor of the clusters from which runs were claimed last

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
        clusters = await self._next_clusters()
        key, asked_at = uuid4().hex, time.monotonic()
        given = {"clusterIds": clusters, "limit": limit, "leaseSeconds": self.lease_seconds, "key": key}
        claims = (await self.ask(CLAIM, **given))["claimRuns"]["runs"]
        return [(claim, asked_at + self.lease_seconds) for claim in claims]

    async def _next_clusters(self) -> list[str]:
        """Return the next page of clusters, and the first one after the last: a claim takes no more than a page."""
        page = (await self.ask(CLUSTERS, after=self.after))["clusters"]
        self.after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        return [each["id"] for each in page["nodes"]]

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
        which = f"{self.claim['run']['id']} of {self.claim['run']['job']['jobKey']}"
        log.info("%s: attempt %s begins", which, self.claim["attempt"])
        try:
            outcome = await self._outcome()
            await self._tell(**outcome)
            log.info("%s: %s", which, outcome["state"])
        except LeaseLost:
            log.warning("%s: another worker may have it now", which)
        except Refused:
            log.exception("the report on %s was refused: its lease ends", self.claim["run"]["id"])

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
            return _failed(str(error))
        except LeaseLost:
            raise
        except Exception as error:  # one run must not end the others
            log.exception("unexpected error of %s", self.claim["run"]["id"])
            return _failed(f"{type(error).__name__}: {error}")
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


def _failed(message: str) -> dict[str, Any]:
    return {"state": "FAILED", "error": {"message": message[:LONGEST_MESSAGE]}}
