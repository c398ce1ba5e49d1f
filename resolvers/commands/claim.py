"""What workers do with runs: claim them, and report on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from mainsheet.models import limits
from mainsheet.models.clock import read_clock
from mainsheet.models.cluster import Cluster
from mainsheet.models.errors import ClusterNotFound
from mainsheet.models.event import EventAction
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun, Retries, RunError, RunReport, RunReportState
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion
from mainsheet.models.roles import AccessScope, JobPermission
from mainsheet.models.run_lease import RunLease
from mainsheet.resolvers.commands.claimable import candidates, lockable, parameters
from mainsheet.resolvers.commands.executed_queries import keep_queries
from mainsheet.resolvers.commands.latest_run import refresh_latest_runs
from mainsheet.resolvers.commands.locked_run import locked, record
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import Write, command

ERROR_TEXTS = {"code": limits.NAME, "message": limits.MESSAGE}


@command("claimRuns", AccessScope.RUNS)
async def claim(
    write: Write, *, cluster_ids: Sequence[str], limit: int = 10, lease_seconds: int = 60
) -> Mapping[str, Any]:
    """Claim the oldest ready runs, the first one of each job before the second one of any."""
    write.problems += limits.ENTRIES.check(len(cluster_ids), ("cluster_ids",))
    write.problems += limits.CLAIMED_RUNS.check(limit, ("limit",))
    write.problems += limits.LEASE_SECONDS.check(lease_seconds, ("lease_seconds",))
    write.problems += await _unknown_clusters(write, cluster_ids)
    write.refuse()
    runs = await _locked_runs(write, cluster_ids, limit)
    write.at = await read_clock(write.session)  # after the locks
    for run in runs:
        write.session.add(run.claim(write.at, lease_seconds))
    await keep_queries(write, runs)
    await _record_starts(write, runs)
    await refresh_latest_runs(write.session, [run.job_id for run in runs])
    return {"claims": [[run.id, run.attempt] for run in runs]}


@command("reportRuns", AccessScope.RUNS, items="reports")
async def report(
    write: Write,
    *,
    run_id: str,
    attempt: int,
    state: RunReportState,
    error: Mapping[str, Any] | None = None,
    log_url: str | None = None,
    progress_percent: int | None = None,
    lease_seconds: int = 60,
) -> Mapping[str, Any]:
    ends = state is not RunReportState.RUNNING
    error = limits.normal(ERROR_TEXTS, error) if error and state.has_error else None
    _check_report(write, error, log_url, progress_percent, None if ends else lease_seconds)
    run, job = await locked(write, run_id, JobPermission.RUN, with_job=ends)
    write.refuse()
    lease, retries = await _lease(write, run)
    told = RunReport(
        attempt=attempt,
        state=state,
        error=RunError(**error) if error else None,
        log_url=log_url,
        progress_percent=progress_percent,
        lease_seconds=lease_seconds,
    )
    was_finished = run.is_finished
    keeps = run.report(told, lease, retries, write.now)
    if lease is not None and not keeps:
        await write.session.delete(lease)
    if not keeps and not was_finished:
        record(write, EventAction.RUN_FINISHED if run.is_finished else EventAction.RUN_RETRIED, run, job)
    if ends:
        await refresh_latest_runs(write.session, [job.id])
    return {
        "job_id": job.id,
        "run_id": run_id,
        "cancel_requested": keeps and run.cancel_requested_at is not None,
        "lease_expires_at": lease.expires_at if lease is not None and keeps else None,
    }


def _check_report(
    write: Write,
    error: Mapping[str, Any] | None,
    log_url: str | None,
    progress_percent: int | None,
    lease_seconds: int | None,
) -> None:
    if lease_seconds is not None:
        write.problems += limits.LEASE_SECONDS.check(lease_seconds, ("lease_seconds",))
    if log_url is not None:
        write.problems += limits.LOCATION.check(log_url, ("log_url",))
    if progress_percent is not None:
        write.problems += limits.PROGRESS.check(progress_percent, ("progress_percent",))
    write.problems += limits.text_problems(ERROR_TEXTS, error or {}, ("error",))


async def _lease(write: Write, run: JobRun) -> tuple[RunLease | None, Retries]:
    """Return the lease of a locked run, and the retries of its version."""
    of_run = (JobVersion.job_id == run.job_id) & (JobVersion.number == run.version_number)
    columns = select(RunLease, JobVersion.max_retries, JobVersion.retry_delay_seconds)
    found = columns.select_from(JobVersion).outerjoin(RunLease, RunLease.run_id == run.id).where(of_run)
    row = (await write.session.execute(found)).one()
    return row[0], Retries(row.max_retries, row.retry_delay_seconds)


async def _unknown_clusters(write: Write, cluster_ids: Sequence[str]) -> list[ClusterNotFound]:
    own = Cluster.organization_id == write.caller.organization_id
    found = set(await write.session.scalars(select(Cluster.id).where(own, among(Cluster.id, cluster_ids))))
    return [
        ClusterNotFound(path=("cluster_ids", str(index)), missing_id=each)
        for index, each in enumerate(cluster_ids)
        if each not in found
    ]


async def _locked_runs(write: Write, cluster_ids: Sequence[str], limit: int) -> Sequence[JobRun]:
    """Lock and return the runs to claim. If other transactions have locked all candidates, wait for one of them.

    This transaction holds no lock of a job or run then, so the wait can't be part of a deadlock.
    """
    found, values = candidates(write.caller), parameters(cluster_ids, limit)
    rows = (await write.session.execute(found, values)).all()
    runs = await _lock(write, [row.id for row in rows], limit)
    if runs or not rows:
        return runs
    await write.session.execute(select(Job.id).where(Job.id == rows[0].job_id).with_for_update(key_share=True))
    rows = (await write.session.execute(found, values)).all()
    return await _lock(write, [row.id for row in rows], limit)


async def _lock(write: Write, ids: Sequence[str], limit: int) -> Sequence[JobRun]:
    """Lock at most `limit` of the runs, and return them in the order of the ids, but those that others have locked."""
    runs: dict[str, JobRun] = {}
    rest = ids
    while rest and len(runs) < limit:
        room = limit - len(runs)
        runs |= {run.id: run for run in await write.session.scalars(lockable(rest[:room]))}
        rest = rest[room:]
    return [runs[each] for each in ids if each in runs]


async def _record_starts(write: Write, runs: Sequence[JobRun]) -> None:
    ids = {run.job_id for run in runs}
    keys = {row.id: row.job_key for row in await write.session.execute(_keys(ids))}
    teams: dict[str, list[str]] = {job_id: [] for job_id in ids}
    for row in await write.session.execute(_teams(ids)):
        teams[row.job_id].append(row.team_id)
    for run in runs:
        label, own = keys[run.job_id], teams[run.job_id]
        numbers = (None, run.version_number)
        write.record(EventAction.RUN_STARTED, run, label, job_id=run.job_id, team_ids=own, versions=numbers)


def _keys(job_ids: set[str]) -> Select[str, str]:
    return select(Job.id, Job.job_key).where(Job.id.in_(job_ids))


def _teams(job_ids: set[str]) -> Select[str, str]:
    own = select(JobTeam.job_id, JobTeam.team_id).where(JobTeam.job_id.in_(job_ids))
    return own.order_by(JobTeam.job_id, JobTeam.team_id)
