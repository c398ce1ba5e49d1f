"""Lists stored values that the rules for new values would refuse. They stay usable until somebody changes them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.access_token import AccessToken
from mainsheet.models.base import Base
from mainsheet.models.cluster import Cluster
from mainsheet.models.database import Database
from mainsheet.models.errors import UserError
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion, JobVersionStatus
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team

BATCH = 500
TEXTS: Mapping[type[Base], Mapping[str, limits.Text]] = {
    Organization: {"name": limits.NAME},
    Member: {"name": limits.NAME},
    Team: {"name": limits.NAME, "description": limits.DESCRIPTION},
    Cluster: {"name": limits.NAME, "region": limits.NAME},
    SavedQuery: {"name": limits.NAME, "sql": limits.SQL},
    AccessToken: {"name": limits.NAME},
    Job: {"job_key": limits.JOB_KEY, "name": limits.NAME, "description": limits.DESCRIPTION},
}


@dataclass(frozen=True)
class Unfit:
    """A stored value that breaks a rule, with its row."""

    table: str
    id: str
    problem: UserError

    def __str__(self) -> str:
        return f"{self.table} {self.id}, {'.'.join(self.problem.path)}: {self.problem.message}"


async def unfit(database: Database) -> AsyncIterator[Unfit]:
    """Yield the values that break a rule, by table and id."""
    for table, texts in TEXTS.items():
        columns: Any = [getattr(table, name) for name in ("id", *texts)]
        async for row in _rows(database, select(*columns), columns[0]):
            for problem in limits.text_problems(texts, row._asdict(), ()):
                yield Unfit(table.__tablename__, row.id, problem)
    async for (version,) in _rows(database, _changeable_versions(), JobVersion.id):
        for problem in version.config.value_problems():
            yield Unfit(JobVersion.__tablename__, version.id, problem)


def _changeable_versions() -> Select[JobVersion]:
    """Select drafts and current versions: nobody can change the others or replace them by a new version."""
    is_current = JobVersion.number == Job.current_number
    joined = select(JobVersion).join(Job, Job.id == JobVersion.job_id)
    return joined.where(is_current | (JobVersion.status == JobVersionStatus.DRAFT))


async def _rows(database: Database, statement: Select[Any], row_id: Any) -> AsyncIterator[Any]:
    """Read the rows in batches, each in a short transaction."""
    last = ""
    while rows := await _batch(database, statement.where(row_id > last).order_by(row_id).limit(BATCH)):
        for row in rows:
            yield row
        last = getattr(rows[-1][0], "id", rows[-1][0])


async def _batch(database: Database, statement: Select[Any]) -> list[Any]:
    async with AsyncSession(database.reads, expire_on_commit=False) as session:
        return list(await session.execute(statement))
