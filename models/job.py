"""The life of a job: the steps, when each is allowed, and what it does.

Nothing here uses the database: `resolvers` loads and locks the rows, and stores the changes. The steps stay in one
file because they are easier to understand together.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from mainsheet.models.base import Base, Id, Name, Note, sorted_text, tenant, tenant_key
from mainsheet.models.config_diff import Change, change_of, differences
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.edit import Edit
from mainsheet.models.errors import (
    DraftExists,
    DraftNotFound,
    Path,
    StaleRevision,
    TeamNotFound,
    TeamRequired,
    UserError,
    VersionNotFound,
    VersionNotPublished,
)
from mainsheet.models.ids import new_id
from mainsheet.models.job_config import JobConfig, null_problems
from mainsheet.models.job_event import JobAction
from mainsheet.models.job_input import value_problems
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion, VersionStatus
from mainsheet.models.known import Known
from mainsheet.models.search_text import search_text


class JobStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


# Each step of a configuration's life either needs the draft or needs that there is none.
NEEDS_DRAFT: Mapping[JobAction, bool] = {
    JobAction.DRAFT_CREATED: False,
    JobAction.DRAFT_UPDATED: True,
    JobAction.DRAFT_DISCARDED: True,
    JobAction.DRAFT_PUBLISHED: True,
    JobAction.VERSION_CREATED: False,
    JobAction.VERSION_ACTIVATED: False,
}

CHANGES: Mapping[str, Path] = {name: ("changes", name) for name in ("cluster_id", "dependencies")}


class Job(Base):
    """A job: a named workload with versions.

    `current_number` is the current version's number, `last_number` the highest number ever used, and `event_count` the
    number of history events. The current version's cluster and whether it has a schedule are copied here, because lists
    filter by them and a join with the versions would cost more with each job. `revision` grows with each change of
    these, but not when the draft is edited: it has its own revision.
    """

    __tablename__ = "job"
    PREFIX = "JB"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    job_key: Mapped[str] = mapped_column(sorted_text(100))
    name: Mapped[Name]
    description: Mapped[Note | None]
    search_text: Mapped[str] = mapped_column(Text)
    status: Mapped[JobStatus]
    revision: Mapped[int]
    current_number: Mapped[int]
    current_cluster_id: Mapped[Id]
    is_scheduled: Mapped[bool]
    last_number: Mapped[int]
    event_count: Mapped[int]
    created_at: Mapped[datetime]
    created_by_id: Mapped[Id]
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[Id]

    versions: WriteOnlyMapped[JobVersion] = relationship(
        primaryjoin="Job.id == JobVersion.job_id",
        foreign_keys="JobVersion.job_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    current: Mapped[JobVersion] = relationship(
        primaryjoin="and_(Job.id == JobVersion.job_id, Job.current_number == JobVersion.number)",
        foreign_keys="[JobVersion.job_id, JobVersion.number]",
        viewonly=True,
        uselist=False,
        lazy="selectin",
    )
    draft: Mapped[JobVersion | None] = relationship(
        primaryjoin="and_(Job.id == JobVersion.job_id, JobVersion.status == 'DRAFT')",
        foreign_keys="JobVersion.job_id",
        viewonly=True,
        uselist=False,
        lazy="selectin",
    )
    teams: Mapped[list[JobTeam]] = relationship(cascade="all, delete-orphan", lazy="selectin", passive_deletes=True)

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "job_key"),
        tenant("created_by_id", "member"),
        tenant("updated_by_id", "member"),
        ForeignKeyConstraint(
            ["current_cluster_id", "id", "current_number"],
            ["job_version.cluster_id", "job_version.job_id", "job_version.number"],
            name="fk_job_current_version",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("current_number BETWEEN 1 AND last_number", name="current_number"),
        Index("ix_job_organization_created", "organization_id", "created_at", "id"),
        # With created_at, what has changed since a moment is sorted by creation without a look at the jobs.
        Index("ix_job_organization_updated", "organization_id", "updated_at", "id", "created_at"),
        Index("ix_job_organization_status", "organization_id", "status", "created_at", "id"),
        Index("ix_job_organization_scheduled", "organization_id", "is_scheduled", "created_at", "id"),
        Index("ix_job_current_cluster", "current_cluster_id", "created_at", "id"),
        Index("ix_job_created_by", "created_by_id"),
    )

    @classmethod
    def create(
        cls,
        values: Mapping[str, Any],
        config: JobConfig,
        team_ids: Sequence[str],
        organization_id: str,
        edit: Edit,
    ) -> "Job":
        """Create a job and its first published version from validated values."""
        job = cls(
            id=new_id(cls.PREFIX, edit.at),
            organization_id=organization_id,
            **values,
            status=JobStatus.ACTIVE,
            revision=0,
            last_number=0,
            event_count=0,
            created_at=edit.at,
            created_by_id=edit.member_id,
        )
        job.draft = None
        job._describe()
        job._grant(team_ids, edit)
        version = job._new_draft(config, edit, based_on=None)
        version.publish(edit, None)
        job._point_to(version)
        job._record(JobAction.JOB_CREATED, edit, to_version=1, changes=differences(None, config))
        return job

    def expect(
        self,
        edit: Edit,
        *,
        revision: int | None = None,
        draft_revision: int | None = None,
        current_version: int | None = None,
    ) -> None:
        """Add a problem for each value that differs from the caller's expectation. `None` expects nothing.

        The step that follows raises all problems at once, such as a missing draft.
        """
        seen = [
            ("expected_revision", "the job's revision", revision, self.revision),
            (
                "expected_revision",
                "the draft's revision",
                draft_revision,
                self.draft.revision if self.draft else draft_revision,
            ),
            ("expected_current_version", "the current version", current_version, self.current_number),
        ]
        edit.problems += (
            StaleRevision(path=(name,), what=what, expected=expected, actual=actual)
            for name, what, expected, actual in seen
            if expected is not None and expected != actual
        )

    def update(self, values: Mapping[str, Any], message: str | None, edit: Edit) -> None:
        """Change the given ones of name, description and status. Equal values change nothing."""
        edit.problems += value_problems({**values, "message": message})
        edit.refuse()
        changes = [
            change_of(name, getattr(self, name), value)
            for name, value in values.items()
            if getattr(self, name) != value
        ]
        if changes:
            for name, value in values.items():
                setattr(self, name, value)
            self._describe()
            self._record(JobAction.JOB_UPDATED, edit, message=message, changes=changes)

    def create_draft(self, values: Mapping[str, Any], known: Known, edit: Edit) -> JobVersion:
        self._check_allowed(JobAction.DRAFT_CREATED, edit)
        config = self._laid_over(self.current, values, known, edit)
        draft = self._new_draft(config, edit, based_on=self.current_number)
        self._record(
            JobAction.DRAFT_CREATED,
            edit,
            from_version=self.current_number,
            to_version=draft.number,
            changes=differences(self.current.config, config),
        )
        self.draft = draft
        return draft

    def update_draft(self, values: Mapping[str, Any], known: Known, edit: Edit) -> JobVersion:
        draft = self._allowed_draft(JobAction.DRAFT_UPDATED, edit)
        before, after = draft.config, self._laid_over(draft, values, known, edit)
        if before != after:
            draft.config = after
            draft.revision += 1
            changes = differences(before, after)
            self._record(JobAction.DRAFT_UPDATED, edit, to_version=draft.number, changes=changes)
        return draft

    def discard_draft(self, edit: Edit) -> JobVersion:
        """Delete the draft. Its number is never used again."""
        draft = self._allowed_draft(JobAction.DRAFT_DISCARDED, edit)
        edit.refuse()
        self.versions.remove(draft)
        self.draft = None
        self._record(JobAction.DRAFT_DISCARDED, edit, from_version=draft.number)
        return draft

    def publish_draft(self, message: str | None, known: Known, edit: Edit) -> JobVersion:
        draft = self._allowed_draft(JobAction.DRAFT_PUBLISHED, edit)
        edit.problems += value_problems({"message": message})
        if self.draft and not edit.has_missed("expected_revision"):
            edit.problems += draft.config.running_problems(known, self.id, {})
            edit.problems += draft.config.deletion_problems({})
        edit.refuse()
        draft.publish(edit, message)
        draft.revision += 1
        self.draft = None
        self._move(draft, JobAction.DRAFT_PUBLISHED, message, edit)
        return draft

    def create_version(self, values: Mapping[str, Any], message: str | None, known: Known, edit: Edit) -> JobVersion:
        """Draft, update and publish in one step."""
        self._check_allowed(JobAction.VERSION_CREATED, edit)
        edit.problems += value_problems({"message": message})
        changed = self.current.config.changed(values, known.jobs)
        running = [*changed.running_problems(known, self.id, CHANGES), *changed.deletion_problems(CHANGES)]
        missed = edit.has_missed("expected_current_version")
        edit.problems += (each for each in running if not missed or values.get(each.path[-1]))
        config = self._laid_over(self.current, values, known, edit)
        version = self._new_draft(config, edit, based_on=self.current_number)
        version.publish(edit, message)
        self._move(version, JobAction.VERSION_CREATED, message, edit)
        return version

    def activate(
        self, number: int, version: JobVersion | None, message: str | None, known: Known, edit: Edit
    ) -> JobVersion:
        """Make a published version current. Activating the current version again changes nothing."""
        self._check_allowed(JobAction.VERSION_ACTIVATED, edit)
        edit.problems += value_problems({"message": message})
        edit.problems += self._activation_problems(number, version, known)
        edit.refuse()
        activated = cast("JobVersion", version)
        if number != self.current_number:
            self._move(activated, JobAction.VERSION_ACTIVATED, message, edit)
        return activated

    def add_teams(self, team_ids: Sequence[str], edit: Edit) -> None:
        """Grant access to teams. A team that has access already keeps its grant."""
        if new := self._grant(team_ids, edit):
            changes = [change_of("teams", None, each) for each in new]
            self._record(JobAction.TEAMS_ADDED, edit, changes=changes)

    def remove_team(self, team_id: str, edit: Edit) -> None:
        granted = next((each for each in self.teams if each.team_id == team_id), None)
        if granted is None:
            raise TeamNotFound(path=("team_id",), asked=team_id, lead="The job is shared with")
        if len(self.teams) == 1:
            raise TeamRequired(path=("team_id",), advice="Add another one before you remove this, its last.")
        self.teams.remove(granted)
        self._record(JobAction.TEAM_REMOVED, edit, changes=[change_of("teams", team_id, None)])

    def delete(self, edit: Edit) -> DeletedJob:
        """Add the last history event, and return what is kept of the job.

        Foreign keys delete the versions, runs and grants with the row.
        """
        self._record(JobAction.JOB_DELETED, edit, from_version=self.current_number)
        return DeletedJob.of(self, edit)

    def _check_allowed(self, action: JobAction, edit: Edit) -> None:
        """Add a problem if the step isn't allowed in the job's state."""
        if NEEDS_DRAFT[action] and self.draft is None:
            edit.problems.append(DraftNotFound())
        if not NEEDS_DRAFT[action] and self.draft is not None:
            edit.problems.append(DraftExists(draft_id=self.draft.id, number=self.draft.number))

    def _allowed_draft(self, action: JobAction, edit: Edit) -> JobVersion:
        """Return the draft, or the current version if there is none, so that the given values are validated anyway."""
        self._check_allowed(action, edit)
        return self.draft or self.current

    def _activation_problems(self, number: int, version: JobVersion | None, known: Known) -> Iterator[UserError]:
        if version is None:
            yield VersionNotFound(number=number)
        elif version.status is VersionStatus.DRAFT:
            yield VersionNotPublished(number=number)
        elif number != self.current_number:
            yield from version.config.running_problems(known, self.id, {"cluster_id": ("number",)})

    def _laid_over(self, version: JobVersion, values: Mapping[str, Any], known: Known, edit: Edit) -> JobConfig:
        """Return the version's configuration with the values replaced. Raises all problems of the edit."""
        config = version.config.changed(values, known.jobs)
        edit.problems += null_problems(values, ("changes",))
        edit.problems += version.config.removal_problems(values, ("changes",))
        # What was stored before stays usable, even if a rule of today would refuse it.
        given = {name for name, value in values.items() if value is not None}
        edit.problems += (each for each in config.problems(("changes",), known, self.id) if each.path[1] in given)
        edit.refuse()
        return config

    def _new_draft(self, config: JobConfig, edit: Edit, *, based_on: int | None) -> JobVersion:
        self.last_number += 1
        version = JobVersion.draft(self, self.last_number, config, edit, based_on=based_on)
        version.revision = max(1, self.event_count)  # above all revisions of earlier drafts: each was a line too
        self.versions.add(version)
        return version

    def _move(self, version: JobVersion, action: JobAction, message: str | None, edit: Edit) -> None:
        before, changes = self.current_number, differences(self.current.config, version.config)
        self._point_to(version)
        self._record(action, edit, from_version=before, to_version=version.number, message=message, changes=changes)

    def _point_to(self, version: JobVersion) -> None:
        self.current_number = version.number
        self.current_cluster_id = version.cluster_id
        self.is_scheduled = version.cron is not None
        self.current = version

    def _grant(self, team_ids: Sequence[str], edit: Edit) -> list[str]:
        has = {each.team_id for each in self.teams}
        new = [team_id for team_id in dict.fromkeys(team_ids) if team_id not in has]
        self.teams += [JobTeam.grant(self, team_id, edit) for team_id in new]
        return new

    def _describe(self) -> None:
        self.search_text = search_text(self.job_key, self.name, self.description)

    def _record(self, action: JobAction, edit: Edit, changes: Sequence[Change] = (), **line: Any) -> None:
        self.event_count += 1
        if action is not JobAction.DRAFT_UPDATED:
            self.revision += 1
            self.updated_at, self.updated_by_id = edit.at, edit.member_id
        edit.record(self, action, changes=list(changes), **line)
