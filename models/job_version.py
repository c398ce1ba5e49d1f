from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mainsheet.models.base import Base, Id, Json, Name, Note, enum_type, tenant, tenant_key
from mainsheet.models.edit import Edit
from mainsheet.models.ids import new_id
from mainsheet.models.job_config import (
    Compute,
    Dependency,
    DependencyCondition,
    ExecutionMode,
    JobConfig,
    Variable,
)
from mainsheet.models.schedule import ConcurrencyPolicy, MissedSchedulePolicy, Schedule
from mainsheet.models.source import SavedQueries, Source, SourceKind, source_of

if TYPE_CHECKING:
    from mainsheet.models.job import Job


class JobVersionStatus(StrEnum):
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"


class JobVersion(Base):
    """A snapshot of one job's configuration. Published versions never change.

    `edited_at` and `edited_by_id` are null if the draft was never updated.
    """

    __tablename__ = "job_version"
    PREFIX = "JV"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    job_id: Mapped[Id]
    number: Mapped[int]
    status: Mapped[JobVersionStatus] = mapped_column(enum_type(JobVersionStatus, "versionstatus"))
    revision: Mapped[int]
    based_on_number: Mapped[int | None]
    message: Mapped[Note | None]
    cluster_id: Mapped[Id]
    source_kind: Mapped[SourceKind]
    source: Mapped[dict[str, Any]] = mapped_column(Json)
    cron: Mapped[str | None] = mapped_column(String(100))
    timezone: Mapped[str | None] = mapped_column(String(64))
    concurrency_policy: Mapped[ConcurrencyPolicy | None]
    max_concurrent_runs: Mapped[int | None]
    missed_schedule_policy: Mapped[MissedSchedulePolicy | None]
    execution_mode: Mapped[ExecutionMode]
    driver_instance_type: Mapped[Name | None]
    executor_instance_type: Mapped[Name | None]
    executor_count: Mapped[int | None]
    environment: Mapped[list[dict[str, str]]] = mapped_column(Json)
    max_retries: Mapped[int]
    retry_delay_seconds: Mapped[int]
    timeout_seconds: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[Id]
    edited_at: Mapped[datetime | None]
    edited_by_id: Mapped[Id | None]
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[Id | None]

    queries: Mapped[list["JobVersionQuery"]] = relationship(
        cascade="all, delete-orphan",
        order_by="JobVersionQuery.position",
        lazy="selectin",
        passive_deletes=True,
    )
    dependencies: Mapped[list["JobVersionDependency"]] = relationship(
        cascade="all, delete-orphan",
        order_by="JobVersionDependency.position",
        lazy="selectin",
        passive_deletes=True,
    )

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("job_id", "number"),
        UniqueConstraint("cluster_id", "job_id", "number"),  # a job refers to its current version with the cluster
        tenant("job_id", "job", ondelete="CASCADE"),
        tenant("cluster_id", "cluster"),
        tenant("created_by_id", "actor"),
        tenant("edited_by_id", "actor"),
        tenant("published_by_id", "actor"),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("max_retries BETWEEN 0 AND 10", name="max_retries"),
        CheckConstraint(
            "(status = 'PUBLISHED') = (published_at IS NOT NULL)"
            " AND (published_at IS NULL) = (published_by_id IS NULL)",
            name="published",
        ),
        CheckConstraint("(edited_at IS NULL) = (edited_by_id IS NULL)", name="edited"),
        CheckConstraint(
            "(cron IS NULL) = (timezone IS NULL) AND (cron IS NULL) = (concurrency_policy IS NULL)"
            " AND (cron IS NULL) = (missed_schedule_policy IS NULL)",
            name="schedule",
        ),
        CheckConstraint(
            "CASE WHEN concurrency_policy = 'ALLOW' THEN coalesce(max_concurrent_runs, 0) >= 1"
            " ELSE max_concurrent_runs IS NULL END",
            name="concurrent_runs",
        ),
        Index(
            "uq_job_version_one_draft",
            "job_id",
            unique=True,
            postgresql_where=text("status = 'DRAFT'"),
            sqlite_where=text("status = 'DRAFT'"),
        ),
    )

    @property
    def config(self) -> JobConfig:
        return JobConfig(
            cluster_id=self.cluster_id,
            source=self._source(),
            schedule=schedule_of(self),
            dependencies=tuple(
                Dependency(each.job_id, each.condition, id=each.id, is_deleted=each.depends_on_id is None)
                for each in self.dependencies
            ),
            compute=Compute(
                self.execution_mode,
                self.driver_instance_type,
                self.executor_instance_type,
                self.executor_count,
            ),
            environment=tuple(Variable(**each) for each in self.environment),
            max_retries=self.max_retries,
            retry_delay_seconds=self.retry_delay_seconds,
            timeout_seconds=self.timeout_seconds,
        )

    @config.setter
    def config(self, config: JobConfig) -> None:
        self.cluster_id = config.cluster_id
        self.source_kind = config.source.kind
        self.source = config.source.values()
        self._set_schedule(config.schedule)
        for name, value in asdict(config.compute).items():
            setattr(self, name, value)
        self.environment = [each.stored() for each in config.environment]
        self.max_retries = config.max_retries
        self.retry_delay_seconds = config.retry_delay_seconds
        self.timeout_seconds = config.timeout_seconds
        self._set_queries(config.source.query_ids if isinstance(config.source, SavedQueries) else ())
        self._set_dependencies(config.dependencies)

    @classmethod
    def draft(cls, job: "Job", number: int, config: JobConfig, edit: Edit, *, based_on: int | None) -> "JobVersion":
        version = cls(
            id=new_id(cls.PREFIX, edit.at),
            organization_id=job.organization_id,
            job_id=job.id,
            number=number,
            status=JobVersionStatus.DRAFT,
            revision=1,
            based_on_number=based_on,
            created_at=edit.at,
            created_by_id=edit.actor_id,
        )
        version.config = config
        return version

    def update(self, config: JobConfig, edit: Edit) -> None:
        """Change the configuration of a draft."""
        self.config = config
        self.revision += 1
        self.edited_at, self.edited_by_id = edit.at, edit.actor_id

    def publish(self, edit: Edit, message: str | None) -> None:
        self.status = JobVersionStatus.PUBLISHED
        self.message = message
        self.published_at = edit.at
        self.published_by_id = edit.actor_id

    def _source(self) -> Source:
        if self.source_kind is SourceKind.SAVED_QUERIES:
            return SavedQueries(tuple(each.query_id for each in self.queries))
        return source_of(self.source_kind, self.source)

    def _set_schedule(self, schedule: Schedule | None) -> None:
        for name in SCHEDULE_COLUMNS:
            setattr(self, name, getattr(schedule, name, None))

    def _set_queries(self, query_ids: Sequence[str]) -> None:
        if [each.query_id for each in self.queries] != list(query_ids):
            self.queries = [
                JobVersionQuery(organization_id=self.organization_id, position=position, query_id=query_id)
                for position, query_id in enumerate(query_ids)
            ]

    def _set_dependencies(self, dependencies: Sequence[Dependency]) -> None:
        """Set the list. A dependency on a job that is in the list already keeps its row, and so its id."""
        rows = {each.job_id: each for each in self.dependencies}
        new = [rows.get(each.job_id) or JobVersionDependency.on(each, self.organization_id) for each in dependencies]
        for position, (row, each) in enumerate(zip(new, dependencies, strict=True)):
            row.position, row.condition = position, each.condition
        if new != self.dependencies:
            self.dependencies = new


SCHEDULE_COLUMNS = tuple(each.name for each in fields(Schedule))
_schedule_values = attrgetter(*SCHEDULE_COLUMNS)


def schedule_of(version: Any) -> Schedule | None:
    """Return the schedule of a version's row, or None."""
    return None if version.cron is None else _schedule(*_schedule_values(version))


@lru_cache(maxsize=4096)
def _schedule(
    cron: str, timezone: str, concurrency_policy: str, max_concurrent_runs: int | None, missed_schedule_policy: str
) -> Schedule:
    """Return the schedule with these values. Lists have many versions, and most of them share a few schedules."""
    return Schedule(
        cron=cron,
        timezone=timezone,
        concurrency_policy=ConcurrencyPolicy(concurrency_policy),
        max_concurrent_runs=max_concurrent_runs,
        missed_schedule_policy=MissedSchedulePolicy(missed_schedule_policy),
    )


class JobVersionQuery(Base):
    __tablename__ = "job_version_query"

    organization_id: Mapped[Id]
    version_id: Mapped[Id] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    query_id: Mapped[Id]

    __table_args__ = (
        tenant("version_id", "job_version", ondelete="CASCADE"),
        tenant("query_id", "saved_query"),
        Index("ix_job_version_query_query", "query_id", "version_id"),
    )


class JobVersionDependency(Base):
    """A dependency of a version on a job, or on what is kept of a deleted one.

    When the job is deleted, `deleted_job_id` takes the place of `depends_on_id` with the same id. The database refuses
    the deletion of a job on which a row still depends.
    """

    __tablename__ = "job_version_dependency"
    PREFIX = "JD"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id]
    version_id: Mapped[Id]
    position: Mapped[int]
    depends_on_id: Mapped[Id | None]
    deleted_job_id: Mapped[Id | None]
    condition: Mapped[DependencyCondition]

    __table_args__ = (
        CheckConstraint("(depends_on_id IS NULL) <> (deleted_job_id IS NULL)", name="one_job"),
        tenant("version_id", "job_version", ondelete="CASCADE"),
        tenant(
            "depends_on_id",
            "job",
            deferrable=True,
            initially="DEFERRED",
            name="fk_job_version_dependency_tenant",
        ),
        tenant("deleted_job_id", "deleted_job", name="fk_job_version_dependency_deleted_job"),
        Index("ix_job_version_dependency_version", "version_id", "position"),
        Index("ix_job_version_dependency_depends_on", "depends_on_id", "version_id"),
        Index("ix_job_version_dependency_deleted_job", "deleted_job_id"),
    )

    @classmethod
    def on(cls, dependency: Dependency, organization_id: str) -> "JobVersionDependency":
        column = "deleted_job_id" if dependency.is_deleted else "depends_on_id"
        return cls(id=new_id(cls.PREFIX), organization_id=organization_id, **{column: dependency.job_id})

    @property
    def job_id(self) -> str:
        """The other job's id, which stays the same when that job is deleted."""
        return cast("str", self.depends_on_id or self.deleted_job_id)
