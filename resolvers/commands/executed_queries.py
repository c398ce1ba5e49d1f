"""Keeps, at each claim, the saved queries that the run executes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from mainsheet.models.executed_query import ExecutedQuery, SavedQueryRevision
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, JobVersionQuery
from mainsheet.models.saved_query import SavedQuery
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import Write

# The two databases have the same clause in dialects of their own.
INSERT_NEW = {
    "postgresql": postgresql.insert(SavedQueryRevision).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(SavedQueryRevision).on_conflict_do_nothing(),
}


async def keep_queries(write: Write, runs: Sequence[JobRun]) -> None:
    """Store the present texts of the runs' saved queries, unless they are stored, and what each claim executes."""
    attempts = {run.id: run.attempt for run in runs}
    rows = (await write.session.execute(_queries(list(attempts)))).all() if runs else []
    if rows:
        own = {"organization_id": write.caller.organization_id}
        await _store(write, {(row.id, row.revision): own | _revision(row) for row in rows})
        executed = [own | _key(row) | {"run_id": row.run_id, "position": row.position} for row in rows]
        values = [each | {"attempt": attempts[each["run_id"]]} for each in executed]
        await write.session.execute(insert(ExecutedQuery), values)


async def _store(write: Write, revisions: Mapping[tuple[Any, ...], dict[str, Any]]) -> None:
    """Insert the revisions that are missing, and lock all, so that none is deleted before its run refers to it."""
    insert_new = INSERT_NEW[write.session.get_bind().dialect.name]
    key = tuple_(SavedQueryRevision.saved_query_id, SavedQueryRevision.revision)
    stored = select(SavedQueryRevision.saved_query_id, SavedQueryRevision.revision).where(key.in_(list(revisions)))
    locked = stored.with_for_update(read=True, key_share=True)
    while missing := revisions.keys() - {tuple(row) for row in await write.session.execute(locked)}:
        # In one order for all transactions, so that none of two waits for the other.
        await write.session.execute(insert_new, [revisions[each] for each in sorted(missing)])


def _queries(run_ids: Sequence[str]) -> Select[str, int, str, int, str, str]:
    of_run = (JobVersion.job_id == JobRun.job_id) & (JobVersion.number == JobRun.version_number)
    columns = (JobVersionQuery.position, SavedQuery.id, SavedQuery.revision, SavedQuery.name, SavedQuery.sql)
    runs = select(JobRun.id.label("run_id"), *columns).join(JobVersion, of_run)
    queries = runs.join(JobVersionQuery, JobVersionQuery.version_id == JobVersion.id)
    return queries.join(SavedQuery, SavedQuery.id == JobVersionQuery.query_id).where(among(JobRun.id, run_ids))


def _key(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {"saved_query_id": row.id, "revision": row.revision}


def _revision(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return _key(row) | {"name": row.name, "sql": row.sql}
