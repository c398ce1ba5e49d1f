from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.base import UtcDateTime
from mainsheet.models.job import Job
from mainsheet.models.job_listing import NEVER_RAN
from mainsheet.models.job_run import JobRun


async def refresh_latest_runs(session: AsyncSession, job_ids: Sequence[str]) -> None:
    """Copy what lists need of the latest runs to these jobs. Each command that changes runs calls this."""
    await session.flush()
    runs = select(JobRun.created_at).where(JobRun.job_id == Job.id).correlate(Job)
    latest = runs.order_by(JobRun.created_at.desc(), JobRun.id.desc()).limit(1)
    status = latest.with_only_columns(JobRun.status).scalar_subquery()
    at = func.coalesce(latest.scalar_subquery(), NEVER_RAN, type_=UtcDateTime())
    is_other = Job.latest_run_at.is_distinct_from(at) | Job.latest_run_status.is_distinct_from(status)
    changed = update(Job).where(Job.id.in_(sorted(job_ids)), is_other)
    values = changed.values(latest_run_at=at, latest_run_status=status)
    await session.execute(values, execution_options={"synchronize_session": False})
