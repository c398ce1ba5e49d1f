"""Makes the runs of schedules, and releases them when policies and dependencies allow it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from examples.plane.client import Ask
from examples.plane.planning import Due, Job, Step, due, steps

JOBS = """
query PlaneJobs($after: String, $since: DateTime!) {
  jobs(first: 10, after: $after, sortBy: CREATED_AT, filter: {hasSchedule: true, statuses: [ACTIVE]}) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id
      jobKey
      activatedAt
      updates: events(first: 5, filter: {actions: [JOB_UPDATED]}) { nodes { occurredAt changes { path } } }
      made: runs(first: 100, filter: {scheduledSince: $since}) { nodes { scheduledFor } }
      active: runs(first: 100, filter: {statuses: [PENDING, READY, RUNNING]}) {
        nodes { id status trigger createdAt cancelRequestedAt }
      }
      currentVersion {
        schedule {
          concurrencyPolicy
          maxConcurrentRuns
          missedSchedulePolicy
          nextFireTimes(after: $since, count: 100)
        }
        dependencies {
          condition
          jobKey
          job {
            active: runs(first: 1, filter: {statuses: [PENDING, READY, RUNNING]}) { nodes { status } }
            ended: runs(first: 1, filter: {statuses: [SUCCEEDED, FAILED, CANCELLED]}) { nodes { status } }
          }
        }
      }
    }
  }
}
"""
CREATE = """
mutation PlaneCreate($runs: [ScheduledRunInput!]!) {
  createScheduledRuns(input: {runs: $runs}) {
    results { run { id status trigger createdAt cancelRequestedAt } userErrors { message } }
    userErrors { message }
  }
}
"""
RELEASE = "mutation PlaneRelease($id: ID!) { releaseRun(input: {runId: $id}) { userErrors { message } } }"
CANCEL = """
mutation PlaneCancel($id: ID!, $message: String) {
  cancelRun(input: {runId: $id, message: $message}) { userErrors { message } }
}
"""
log = logging.getLogger(__name__)
AT_ONCE = 100  # as many runs as the server takes in one request


@dataclass(frozen=True)
class Scheduler:
    """Looks at all schedules every `tick`. It makes up for at most `lookback`: earlier times are forgotten."""

    ask: Ask
    tick: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(minutes=1)
    lookback: timedelta = timedelta(hours=1)

    async def work(self) -> None:
        while True:
            await self.look(datetime.now(UTC))
            await asyncio.sleep(self.tick.total_seconds())

    async def look(self, now: datetime) -> None:
        """Make the runs that are due at this time, and decide on those that are held."""
        async for job in self._jobs(now - self.lookback):
            await self._create(job, list(due(job, now, self.grace)))
            for step in steps(job):
                await self._take(step)

    async def _jobs(self, since: datetime) -> AsyncIterator[Job]:
        after: str | None = None
        while True:
            page = (await self.ask(JOBS, after=after, since=since.isoformat()))["jobs"]
            for job in page["nodes"]:
                yield job
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    async def _create(self, job: Job, items: Sequence[Due]) -> None:
        """Make held or skipped runs. A plane that was killed meanwhile, or another one, finds what there is."""
        for start in range(0, len(items), AT_ONCE):
            runs = [
                {"jobId": job["id"], "scheduledFor": item.at.isoformat(), "hold": True, "skipReason": item.skip_reason}
                for item in items[start : start + AT_ONCE]
            ]
            results = (await self.ask(CREATE, runs=runs))["createScheduledRuns"]["results"]
            made = [each["run"] for each in results if each["run"]]
            for run in made:
                log.info("%s of %s: made for its schedule, %s", run["id"], job["jobKey"], run["status"])
            job["active"]["nodes"] += [run for run in made if run["status"] == "PENDING"]

    async def _take(self, step: Step) -> None:
        if step.cancel_reason is None:
            await self.ask(RELEASE, id=step.run_id)
        else:
            await self.ask(CANCEL, id=step.run_id, message=step.cancel_reason)
