"""The plane acts on all times of a past day's schedules, as an independent implementation of cron finds them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from examples.plane.planning import status_changes
from examples.plane.scheduler import Scheduler
from mainsheet.models import zones
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.models.roles import AccessScope
from testbed.ask import Ask
from testbed.world import caller
from tests.models.cron_oracle import expected, minute_of, stretches, wall_minutes

DAY = timedelta(days=1)
MARGIN = 3 * 24 * 60  # minutes
HOUR = timedelta(hours=1)
MADE = """
query ($jobIds: [ID!]!, $since: DateTime!, $after: String) {
  runs(first: 100, after: $after, filter: {jobIds: $jobIds, scheduledSince: $since}) {
    pageInfo { hasNextPage endCursor }
    nodes { scheduledFor }
  }
}
"""
SCHEDULES = """
query ($after: String) {
  jobs(first: 100, after: $after, filter: {hasSchedule: true, statuses: [ACTIVE]}) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id
      activatedAt
      updates: events(first: 5, filter: {actions: [JOB_UPDATED]}) { nodes { occurredAt changes { path } } }
      currentVersion { schedule { cron timezone } }
    }
  }
}
"""


class Local:
    """Sends the plane's operations to the schema as an administrator, without a server."""

    def __init__(self, ask: Ask, admin: Member) -> None:
        self.ask, self.caller = ask, replace(caller(admin), scopes=frozenset(AccessScope))

    async def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        return await self.ask(self.caller, query, **variables)

    async def all(self, name: str, query: str, **variables: Any) -> list[dict[str, Any]]:
        nodes, after = [], None
        while True:
            page = (await self(query, after=after, **variables))[name]
            nodes += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return nodes
            after = page["pageInfo"]["endCursor"]


async def test_a_past_day_is_planned_as_the_oracle_says(demo_database: Database) -> None:
    async with AsyncSession(demo_database.reads, expire_on_commit=False) as session:
        admin = (await session.scalars(select(Member).where(Member.email == "admin@harbor.example"))).one()
    local = Local(Ask(demo_database), admin)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    plane = Scheduler(local, grace=2 * HOUR, lookback=HOUR)

    for hour in range(1, 25):
        await plane.look(end - DAY + hour * HOUR)

    jobs = await local.all("jobs", SCHEDULES)
    wanted = {job["id"]: list(_fire_times(job, end - DAY, end)) for job in jobs}
    assert sum(map(len, wanted.values())) > 500
    for job_id, times in wanted.items():
        made = await local.all("runs", MADE, jobIds=[job_id], since=(end - DAY + timedelta(seconds=1)).isoformat())
        assert sorted(datetime.fromisoformat(run["scheduledFor"]) for run in made) == times, job_id


def _fire_times(job: dict[str, Any], after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the times after `after` until `until`, from the activation of the version and the end of a pause on."""
    schedule = job["currentVersion"]["schedule"]
    since = max(after, *map(datetime.fromisoformat, [job["activatedAt"], *status_changes(job)]))
    base, end = minute_of(after) - minute_of(after) % (24 * 60) - MARGIN, minute_of(until) + MARGIN
    parts = list(stretches(zones.zone(schedule["timezone"]), base + 24 * 60, end, 60))
    bits = expected(schedule["cron"], wall_minutes(schedule["cron"], base, end), parts, base)
    for minute in range(minute_of(after) + 1, minute_of(until) + 1):
        moment = datetime.fromtimestamp(minute * 60, UTC)
        if bits >> minute - base & 1 and moment > since:
            yield moment
