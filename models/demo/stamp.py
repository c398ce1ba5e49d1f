from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Self

from sqlalchemy import Table

from models.base import Base
from models.demo.life import Life
from models.ids import new_id
from models.job import Job
from models.job_event import JobEvent
from models.job_run import JobRun
from models.job_version import JobVersion, JobVersionDependency, JobVersionQuery

Row = dict[str, Any]
Rows = Mapping[Table, Sequence[Row]]

OWN_IDS = (Job, JobVersion, JobEvent, JobRun)
REFERENCES = ("id", "job_id", "version_id")
EARLIER_SECONDS = 200 * 24 * 3600


@dataclass(frozen=True)
class Line:
    """One row of the lived job, with what differs from job to job set apart."""

    table: Table
    row: Row
    ids: Mapping[str, str]
    times: Mapping[str, datetime]

    @classmethod
    def of(cls, instance: Base) -> Self:
        table = Base.metadata.tables[instance.__tablename__]
        row = {column.name: getattr(instance, column.name) for column in table.columns}
        ids = {name: row[name] for name in REFERENCES if name in row}
        times = {name: value for name, value in row.items() if isinstance(value, datetime)}
        return cls(table, row, ids, times)

    def press(self, ids: Mapping[str, str], earlier: timedelta, key: str) -> Row:
        row = self.row.copy()
        for name, old in self.ids.items():
            row[name] = ids[old]
        for name, at in self.times.items():
            row[name] = at - earlier
        if "job_key" in row:
            row["job_key"] = key
        return row


@dataclass(frozen=True)
class Stamp:
    """The rows of one lived job, from which any number of others is made."""

    name: str
    lines: Sequence[Line]
    births: Sequence[tuple[str, str, datetime]]  # the old id, its prefix, its time

    @classmethod
    def of(cls, life: Life, runs: Sequence[JobRun]) -> Self:
        instances = [*_rows_of(life), *life.events, *runs]
        births = [
            (each.id, each.PREFIX, each.occurred_at if isinstance(each, JobEvent) else each.created_at)
            for each in instances
            if isinstance(each, OWN_IDS)
        ]
        return cls(life.job.name, [Line.of(each) for each in instances], births)

    def press(self, number: int, chance: Random) -> Rows:
        earlier = timedelta(seconds=chance.randrange(EARLIER_SECONDS))
        ids = {old: new_id(prefix, at - earlier, chance) for old, prefix, at in self.births}
        key, name = key_of(number, self.name), f"{self.name} {number}"
        rows: dict[Table, list[Row]] = {}
        for line in self.lines:
            rows.setdefault(line.table, []).append(line.press(ids, earlier, key))
        (job,) = rows[Base.metadata.tables[Job.__tablename__]]
        job["name"] = name
        job["search_text"] = "\n".join((key, name, job["description"] or "")).casefold()
        return rows


def key_of(number: int, name: str) -> str:
    return f"fleet-{number:07}-{name.lower().replace(' ', '-')}"


def _rows_of(life: Life) -> Iterator[Base]:
    """Yield the job and what hangs on it, what is referred to first; name the owners as a flush would."""
    versions = [*life.versions.values(), *([life.job.draft] if life.job.draft else [])]
    yield life.job
    yield from versions
    for version in versions:
        parts: list[JobVersionQuery | JobVersionDependency] = [*version.queries, *version.dependencies]
        for part in parts:
            part.version_id = version.id
            yield part
    for team in life.job.teams:
        team.job_id = life.job.id
        yield team
