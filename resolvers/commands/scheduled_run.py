from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from mainsheet.models import limits
from mainsheet.models.event import EventAction
from mainsheet.models.job_run import JobRun
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.resolvers.commands.latest_run import refresh_latest_runs
from mainsheet.resolvers.commands.locked_run import RunJob, record
from mainsheet.resolvers.commands.run import of_version
from mainsheet.resolvers.write import Write, command


@command("createScheduledRuns", AccessScope.RUNS, items="runs")
async def create(
    write: Write, *, job_id: str, scheduled_for: datetime, hold: bool = False, skip_reason: str | None = None
) -> Mapping[str, Any]:
    """Make the run of the current version for a time of the schedule, unless it exists."""
    job = await write.job(job_id, JobPermission.RUN)
    if skip_reason is not None:
        write.problems += limits.MESSAGE.check(skip_reason, ("skip_reason",))
    at = write.utc(scheduled_for, ("scheduled_for",))
    write.refuse()
    of_time = (JobRun.job_id == job_id) & (JobRun.scheduled_for == at)
    run = await write.session.scalar(select(JobRun).where(of_time))
    is_new = run is None
    if run is None:
        of, after = of_version(job, job.current), job.latest_run_at
        run = JobRun.scheduled(of, write.now, at, after=after, hold=hold, skip_reason=skip_reason)
        write.session.add(run)
        record(write, EventAction.RUN_TRIGGERED, run, RunJob.of(job), skip_reason)
        await refresh_latest_runs(write.session, [job_id])
    return {"job_id": job_id, "run_id": run.id, "is_new": is_new}
