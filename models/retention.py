"""Deletes rows that have ended, in small batches. Any number of processes may do so at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, literal, literal_column, select, tuple_

from mainsheet.models import feed, idempotency
from mainsheet.models.access_token import AccessToken
from mainsheet.models.base import Base, UtcDateTime
from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.event import Event
from mainsheet.models.executed_query import ExecutedQuery, SavedQueryRevision
from mainsheet.models.idempotency import IdempotencyRecord
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersionDependency
from mainsheet.models.organization import Organization
from mainsheet.models.webhook_delivery import WebhookDelivery, WebhookDeliveryStatus

BATCH = 200  # a transaction locks these rows, and with a run its job
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Retention:
    """How long rows are kept after they have ended. None is for ever."""

    events: timedelta | None = None
    runs: timedelta | None = None
    tokens: timedelta | None = None
    deleted_jobs: timedelta | None = None
    webhook_deliveries: timedelta | None = None
    saved_query_texts: timedelta | None = timedelta()
    idempotency_records: timedelta | None = idempotency.KEPT


Condition = Callable[[datetime], ColumnElement[bool]]
Delete = Callable[[Database, timedelta], Awaitable[int]]


@dataclass(frozen=True)
class Expiring:
    """A table with retention: which rows ended before a time, and how they are deleted."""

    table: type[Base]
    has_ended: Condition
    delete: Delete


def _token_ended(before: datetime) -> ColumnElement[bool]:
    return (AccessToken.revoked_at < before) | (AccessToken.expires_at < before)


def _delivery_ended(before: datetime) -> ColumnElement[bool]:
    return (WebhookDelivery.at < before) & (WebhookDelivery.status != WebhookDeliveryStatus.PENDING)


def _run_ended(before: datetime) -> ColumnElement[bool]:
    """Return the condition of runs that finished before the time. The latest run of each job isn't among them."""
    latest = select(Job.latest_run_at).where(Job.id == JobRun.job_id).correlate(JobRun).scalar_subquery()
    return (JobRun.finished_at < before) & (JobRun.created_at < latest)


def _deleted_job_ended(before: datetime) -> ColumnElement[bool]:
    """Return the condition of what is kept of deleted jobs, if no version depends on it."""
    dependency = select(JobVersionDependency.id).where(JobVersionDependency.deleted_job_id == DeletedJob.id)
    return (DeletedJob.deleted_at < before) & ~dependency.correlate(DeletedJob).exists()


def _is_unused(_before: datetime) -> ColumnElement[bool]:
    """Return the condition of revisions that no run executed, or whose runs are deleted. Each is looked up by index."""
    own = ExecutedQuery.saved_query_id == SavedQueryRevision.saved_query_id
    use = select(ExecutedQuery.run_id).where(own, ExecutedQuery.revision == SavedQueryRevision.revision)
    return use.correlate(SavedQueryRevision).limit(literal_column("1")).scalar_subquery().is_(None)


async def _delete_runs(database: Database, kept: timedelta) -> int:
    async with database.reads.connect() as connection:
        before = await read_clock(connection) - kept
        organization_ids = (await connection.scalars(select(Organization.id))).all()
    return sum([await _delete_runs_of(database, each, before) for each in organization_ids])


async def _delete_runs_of(database: Database, organization_id: str, before: datetime) -> int:
    """Walk through the organization's runs by age, so that those that are kept are passed over once."""
    deleted, after = 0, (BEGINNING, "")
    while True:
        async with database.writes.begin() as connection:
            found = (await connection.execute(ended_runs(organization_id, before, after))).all()
            await connection.execute(delete(JobRun).where(JobRun.id.in_([row.id for row in found])))
        deleted += len(found)
        if len(found) < BATCH:
            return deleted
        after = (found[-1].created_at, found[-1].id)


def ended_runs(organization_id: str, before: datetime, after: tuple[datetime, str]) -> Select[datetime, str]:
    """Select a batch of runs, oldest first, that finished before a time. `after` is the last one of the batch before.

    Jobs are locked, because the deletion of a job's latest run makes an older one the latest.
    """
    is_younger = tuple_(JobRun.created_at, JobRun.id) > tuple_(literal(after[0], UtcDateTime()), literal(after[1]))
    return (
        select(JobRun.created_at, JobRun.id)
        .join(Job, Job.id == JobRun.job_id)
        .where(JobRun.organization_id == organization_id, JobRun.created_at < before, is_younger)
        .where(JobRun.finished_at < before, JobRun.created_at < Job.latest_run_at)
        .order_by(JobRun.created_at, JobRun.id)
        .limit(BATCH)
        .with_for_update(of=[JobRun, Job], skip_locked=True, key_share=True)
    )


def _plainly(table: type[Base], keys: Sequence[Any], has_ended: Condition) -> Expiring:
    """Return a table whose rows are found by the condition alone.

    It is checked again when the rows are locked: another transaction may have begun to refer to one of them.
    """

    async def delete_all(database: Database, kept: timedelta) -> int:
        deleted = 0
        while True:
            async with database.writes.begin() as connection:
                before = await read_clock(connection) - kept
                ended = select(*keys).where(has_ended(before)).limit(BATCH).with_for_update(skip_locked=True)
                found = [tuple(row) for row in await connection.execute(ended)]
                if found:
                    done = await connection.execute(delete(table).where(tuple_(*keys).in_(found), has_ended(before)))
                    deleted += done.rowcount
            if len(found) < BATCH:
                return deleted

    return Expiring(table, has_ended, delete_all)


# By the names of the fields of `Retention`.
EXPIRING: Mapping[str, Expiring] = {
    "events": Expiring(Event, lambda before: Event.occurred_at < before, feed.expire),
    "runs": Expiring(JobRun, _run_ended, _delete_runs),
    "tokens": _plainly(AccessToken, [AccessToken.id], _token_ended),
    "deleted_jobs": _plainly(DeletedJob, [DeletedJob.id], _deleted_job_ended),
    "webhook_deliveries": _plainly(WebhookDelivery, [WebhookDelivery.id], _delivery_ended),
    "saved_query_texts": _plainly(
        SavedQueryRevision, [SavedQueryRevision.saved_query_id, SavedQueryRevision.revision], _is_unused
    ),
    "idempotency_records": _plainly(
        IdempotencyRecord,
        [IdempotencyRecord.actor_id, IdempotencyRecord.key],
        lambda before: IdempotencyRecord.created_at < before,
    ),
}


async def prune(database: Database, retention: Retention) -> dict[str, int]:
    """Delete all rows that ended before their retention, and return their numbers."""
    return {name: await EXPIRING[name].delete(database, kept) for name, kept in limited(retention).items()}


async def prunable(database: Database, retention: Retention) -> dict[str, int]:
    """Return how many rows `prune` would delete."""
    async with database.reads.connect() as connection:
        now = await read_clock(connection)
        return {
            name: await connection.scalar(
                select(func.count()).select_from(EXPIRING[name].table).where(EXPIRING[name].has_ended(now - kept))
            )
            or 0
            for name, kept in limited(retention).items()
        }


def limited(retention: Retention) -> Mapping[str, timedelta]:
    """Return how long the rows of each table are kept, without those that are kept for ever."""
    kept = {name: getattr(retention, name) for name in EXPIRING}
    return {name: each for name, each in kept.items() if each is not None}
