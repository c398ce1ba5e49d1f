"""Deletes an organization in small transactions, which can be interrupted and continued."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor, ActorKind, ActorStatus
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_version import JobVersion, JobVersionDependency
from mainsheet.models.limits import storable
from mainsheet.models.organization import Organization
from mainsheet.models.tables import Base

BATCH = 500
JOBS = 20  # each with its versions
PASSES = 5
OWN = "organization_id"
LARGE = [JobRun.__table__, Event.__table__]  # most rows of an organization; both have an index by organization
BY_JOBS = {Job.__table__, JobVersion.__table__}  # refer to each other


@dataclass(frozen=True)
class Counted:
    """An organization with the numbers of its largest nouns."""

    id: str
    name: str
    members: int
    service_accounts: int
    jobs: int
    runs: int


async def organizations(database: Database, organization_id: str | None = None) -> Sequence[Counted]:
    """Return all organizations by name, or the one with this id."""
    counts = [
        _count(Actor.organization_id).where(Actor.kind == ActorKind.MEMBER),
        _count(Actor.organization_id).where(Actor.kind == ActorKind.SERVICE_ACCOUNT),
        _count(Job.organization_id),
        _count(JobRun.organization_id),
    ]
    found = select(Organization.id, Organization.name, *(each.scalar_subquery() for each in counts))
    if organization_id is not None:
        found = found.where(Organization.id == organization_id)
    async with database.reads.connect() as connection:
        return [Counted(*row) for row in await connection.execute(found.order_by(Organization.name, Organization.id))]


def _count(own: InstrumentedAttribute[str]) -> Select[int]:
    return select(func.count()).where(own == Organization.id).correlate(Organization)


async def organization(database: Database, organization_id: str) -> Counted:
    """Return the organization with this id. Raises `BadInput` if there is none."""
    for each in await organizations(database, organization_id) if storable(organization_id) else ():
        return each
    raise BadInput(f"There is no organization {organization_id}: `mainsheet organization list` shows all.")


async def delete_organization(database: Database, organization_id: str) -> AsyncIterator[Mapping[str, int]]:
    """Delete the organization with everything that it has. Yield the number of rows of each table, batch by batch.

    Its actors lose access first. A mutation that had begun before may still add rows, so that the deletion of what they
    refer to fails, and all tables are visited again.
    """
    await _close(database, organization_id)
    for is_last in (False,) * (PASSES - 1) + (True,):
        try:
            async for batch in _pass(database, organization_id):
                yield batch
        except IntegrityError:
            if is_last:
                raise
        else:
            return


async def _pass(database: Database, organization_id: str) -> AsyncIterator[Mapping[str, int]]:
    for table in _order():
        while True:
            async with database.writes.begin() as connection:
                found = await _delete_batch(connection, table, organization_id)
            if not found:
                break
            yield {table.name: found}
    async with database.writes.begin() as connection:
        await connection.execute(delete(Organization).where(Organization.id == organization_id))
    yield {Organization.__tablename__: 1}


async def _close(database: Database, organization_id: str) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(delete(AccessToken).where(AccessToken.organization_id == organization_id))
        own = update(Actor).where(Actor.organization_id == organization_id)
        await connection.execute(own.values(status=ActorStatus.DISABLED))


def _order() -> Sequence[Table]:
    """Return the organization's tables, those that refer to others first. Deleting a job deletes its versions."""
    tables = [each for each in reversed(Base.metadata.sorted_tables) if OWN in each.c]
    first = [*LARGE, Job.__table__]
    return [*first, *(each for each in tables if each not in {*first, *BY_JOBS})]


async def _delete_batch(connection: AsyncConnection, table: Table, organization_id: str) -> int:
    found = [tuple(row) for row in await connection.execute(batch_of(table, organization_id))]
    if table is Job.__table__:
        await _delete_dependencies(connection, [row[0] for row in found])
    if found:
        await connection.execute(delete(table).where(tuple_(*table.primary_key).in_(found)))
    return len(found)


def batch_of(table: Table, organization_id: str) -> Select[*tuple[Any, ...]]:
    """Select the keys of some of the organization's rows."""
    size = JOBS if table is Job.__table__ else BATCH
    return select(*table.primary_key).where(_is_own(table, organization_id)).limit(size)


def _is_own(table: Table, organization_id: str) -> ColumnElement[bool]:
    """Return the condition of the organization's rows, for which there is an index.

    Rows that are deleted with another one are found through it: most such tables have no index by organization.
    """
    parents = [each for each in table.foreign_key_constraints if each.ondelete == "CASCADE"]
    own: ColumnElement[bool] = table.c[OWN] == organization_id
    if table in LARGE or not parents:
        return own
    key = min(parents, key=lambda each: tuple(each.column_keys))
    parent = key.referred_table
    (refers,) = [each.parent for each in key.elements if each.column is parent.c.id]
    return own & refers.in_(select(parent.c.id).where(parent.c[OWN] == organization_id))


async def _delete_dependencies(connection: AsyncConnection, job_ids: Sequence[str]) -> None:
    """Delete the dependencies of and on the jobs, because each refers to two jobs."""
    versions = select(JobVersion.id).where(JobVersion.job_id.in_(job_ids))
    refers = or_(JobVersionDependency.depends_on_id.in_(job_ids), JobVersionDependency.version_id.in_(versions))
    await connection.execute(delete(JobVersionDependency).where(refers))
