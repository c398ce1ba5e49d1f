"""Rows of generated jobs for the driver, copied from template jobs. Values are set by position, which is fast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Self

from sqlalchemy import Column, Dialect, Table

from mainsheet.demo.life import Life
from mainsheet.models.base import Base, UtcDateTime
from mainsheet.models.event import Event
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.job_tag import JobTag
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, JobVersionDependency, JobVersionQuery
from mainsheet.models.search_text import search_text

Row = list[Any]
Rows = dict[Table, list[Row]]

OWN_IDS = (Job, JobVersion, JobVersionDependency, Event, JobRun)
REFERENCES = ("id", "job_id", "version_id", "subject_id")
KEYS = ("job_key", "subject_label")
EARLIER_SECONDS = 200 * 24 * 3600


def row_of(instance: Base, dialect: Dialect) -> Row:
    """Return the instance's values for the driver, in the order of the table's columns."""
    return [_driven(column, getattr(instance, column.name), dialect) for column in written_columns(table_of(instance))]


def written_columns(table: Table) -> Sequence[Column[Any]]:
    """Return the columns that the database doesn't set by itself."""
    return [column for column in table.columns if column.server_default is None]


def table_of(row: Base | type[Base]) -> Table:
    return Base.metadata.tables[row.__tablename__]


def _driven(column: Column[Any], value: Any, dialect: Dialect) -> Any:
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    return convert(value) if convert else value


def _moments(dialect: Dialect) -> Callable[[datetime], Any]:
    """Return a function that converts a time in UTC for the driver."""
    convert = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    return convert if convert and dialect.name == "sqlite" else lambda at: at


JOB = table_of(Job)
NAME, SEARCH_TEXT = (list(JOB.columns.keys()).index(each) for each in ("name", "search_text"))


@dataclass(frozen=True)
class TemplateRow:
    """A row of the template job, with the positions of the values that differ between jobs."""

    table: Table
    row: Row
    ids: Sequence[tuple[int, str]]
    times: Sequence[tuple[int, datetime]]
    key: int | None

    @classmethod
    def of(cls, instance: Base, dialect: Dialect) -> Self:
        table = table_of(instance)
        values = [
            (position, column.name, getattr(instance, column.name))
            for position, column in enumerate(written_columns(table))
        ]
        return cls(
            table,
            row_of(instance, dialect),
            [(position, value) for position, name, value in values if name in REFERENCES],
            [(position, value) for position, _, value in values if isinstance(value, datetime)],
            next((position for position, name, _ in values if name in KEYS), None),
        )


@dataclass(frozen=True)
class TemplateRows:
    """The rows of one template job, from which any number of jobs is generated."""

    name: str
    description: str | None
    rows: Sequence[TemplateRow]
    new_ids: Sequence[tuple[str, str, datetime]]  # the old id, its prefix, its time
    moment: Callable[[datetime], Any]

    @classmethod
    def of(cls, life: Life, runs: Sequence[JobRun], dialect: Dialect) -> Self:
        for change in (each for event in life.events for each in event.changes):
            change.pop("id", None)  # each generated job has dependencies with ids of their own
        instances = [*_rows_of(life), *life.events, *runs]
        new_ids = [(each.id, each.PREFIX, _moment_of(each, life)) for each in instances if isinstance(each, OWN_IDS)]
        rows = [TemplateRow.of(each, dialect) for each in instances]
        return cls(life.job.name, life.job.description, rows, new_ids, _moments(dialect))

    def add_job(self, number: int, chance: Random, rows: Rows) -> None:
        """Add the rows of the job with this number."""
        earlier = timedelta(seconds=chance.randrange(EARLIER_SECONDS))
        ids = {old: new_id(prefix, at - earlier, chance) for old, prefix, at in self.new_ids}
        key, name = key_of(number, self.name), f"{self.name} {number}"
        for template in self.rows:
            rows.setdefault(template.table, []).append(self._copy(template, ids, earlier, key))
        job = rows[JOB][-1]
        job[NAME], job[SEARCH_TEXT] = name, search_text(key, name, self.description)

    def _copy(self, template: TemplateRow, ids: Mapping[str, str], earlier: timedelta, key: str) -> Row:
        row = template.row.copy()
        for position, old in template.ids:
            row[position] = ids[old]
        for position, at in template.times:
            row[position] = self.moment(at - earlier)
        if template.key is not None:
            row[template.key] = key
        return row


def _moment_of(row: Job | JobVersion | JobVersionDependency | Event | JobRun, life: Life) -> datetime:
    match row:
        case Event():
            return row.occurred_at
        case JobVersionDependency():
            return life.job.created_at
    return row.created_at


def key_of(number: int, name: str) -> str:
    return f"fleet-{number:07}-{name.lower().replace(' ', '-')}"


def _rows_of(life: Life) -> Iterator[Base]:
    """Yield the job and its dependent rows in the order of foreign keys, with the ids that a flush would set."""
    versions = [*life.versions.values(), *([life.job.draft] if life.job.draft else [])]
    yield life.job
    yield from versions
    for version in versions:
        parts: list[JobVersionQuery | JobVersionDependency] = [*version.queries, *version.dependencies]
        for part in parts:
            part.version_id = version.id
            yield part
    own: list[JobTeam | JobTag] = [*life.job.teams, *life.job.tag_rows]
    for row in own:
        row.job_id = life.job.id
        yield row
