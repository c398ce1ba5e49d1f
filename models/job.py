"""The life of a job: what each step does.

Nothing here uses the database: `resolvers` loads and locks the rows, and stores the changes. `job_steps.py` says when
a step is allowed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from mainsheet.models.base import Base, Id, Name, Note, sorted_text, tenant, tenant_key
from mainsheet.models.config_diff import change_of, changes_of, differences
from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.edit import Edit, Numbers, assign
from mainsheet.models.errors import JobHasDependents, Path, TeamNotFound, TeamRequired
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.input_values import value_problems
from mainsheet.models.job_config import JobConfig
from mainsheet.models.job_listing import INDEXES, JobListing
from mainsheet.models.job_steps import activation_problems, changed_config, step_problems
from mainsheet.models.job_tag import Tagged
from mainsheet.models.job_team import JobTeam
from mainsheet.models.job_version import JobVersion
from mainsheet.models.references import References
from mainsheet.models.search_text import search_text


class JobStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


CHANGES: Mapping[str, Path] = {name: ("changes", name) for name in ("cluster_id", "dependencies")}


class Job(JobListing, Tagged, Base):
    """A job: a named workload with versions.

    `current_number` is the current version's number, `last_number` the highest ever used, `event_count` the number of
    events. `activated_at` is null until the current version changes. `revision` grows with each event but updates of
    the draft, which has its own.
    """

    __tablename__ = "job"
    PREFIX = "JB"

    id: Mapped[Id] = mapped_column(primary_key=True)
    organization_id: Mapped[Id] = mapped_column(ForeignKey("organization.id"))
    job_key: Mapped[str] = mapped_column(sorted_text(100))
    name: Mapped[Name]
    description: Mapped[Note | None]
    status: Mapped[JobStatus]
    revision: Mapped[int]
    current_number: Mapped[int]
    last_number: Mapped[int]
    event_count: Mapped[int]
    created_at: Mapped[datetime]
    created_by_id: Mapped[Id]
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[Id]
    activated_at: Mapped[datetime | None]

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
    teams: Mapped[list[JobTeam]] = relationship(
        primaryjoin="Job.id == foreign(JobTeam.job_id)",
        cascade="all, delete-orphan",
        lazy="selectin",
        passive_deletes=True,
    )

    __table_args__ = (
        tenant_key(),
        UniqueConstraint("organization_id", "job_key"),
        tenant("created_by_id", "actor"),
        tenant("updated_by_id", "actor"),
        ForeignKeyConstraint(
            ["current_cluster_id", "id", "current_number"],
            ["job_version.cluster_id", "job_version.job_id", "job_version.number"],
            name="fk_job_current_version",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("current_number BETWEEN 1 AND last_number", name="current_number"),
        *INDEXES,
    )

    @classmethod
    def create(
        cls,
        values: Mapping[str, Any],
        config: JobConfig,
        team_ids: Sequence[str],
        organization_id: str,
        edit: Edit,
        *,
        message: str | None = None,
    ) -> "Job":
        """Create a job and its first published version from validated values, `tags` among them."""
        job = cls(
            id=new_id(cls.PREFIX, edit.at),
            organization_id=organization_id,
            **values,
            status=JobStatus.ACTIVE,
            revision=0,
            last_number=0,
            event_count=0,
            created_at=edit.at,
            created_by_id=edit.actor_id,
        )
        job.draft = None
        job.list_run(None)
        job.search_text = search_text(job.job_key, job.name, job.description)
        JobTeam.grant_all(job, team_ids, edit)
        version = job._new_draft(config, edit, based_on=None)
        version.publish(edit, message)
        job._point_to(version)
        changes = [*differences(None, version.config), *changes_of("tags", [], job.tags)]
        job._record(EventAction.JOB_CREATED, edit, (None, 1), message=message, changes=changes)
        return job

    def update(self, values: Mapping[str, Any], message: str | None, edit: Edit) -> None:
        """Change the given ones of name, description, tags and status. Equal values change nothing."""
        edit.problems += value_problems({**values, "message": message})
        edit.refuse()
        if changes := assign(self, values):
            self.search_text = search_text(self.job_key, self.name, self.description)
            self._record(EventAction.JOB_UPDATED, edit, message=message, changes=changes)

    def create_draft(
        self,
        values: Mapping[str, Any],
        references: References,
        edit: Edit,
        *,
        base: JobVersion | None = None,
        message: str | None = None,
    ) -> JobVersion:
        """Copy the published version `base`, by default the current one, with the values replaced."""
        base = base or self.current
        edit.problems += [*step_problems(EventAction.DRAFT_CREATED, self.draft), *value_problems({"message": message})]
        config = changed_config(base, values, references, edit)
        draft = self._new_draft(config, edit, based_on=base.number)
        numbers, changes = (base.number, draft.number), differences(base.config, draft.config)
        self._record(EventAction.DRAFT_CREATED, edit, numbers, message=message, changes=changes)
        self.draft = draft
        return draft

    def update_draft(self, values: Mapping[str, Any], references: References, edit: Edit) -> JobVersion:
        draft = self._allowed_draft(EventAction.DRAFT_UPDATED, edit)
        before, after = draft.config, changed_config(draft, values, references, edit)
        if before != after:
            draft.update(after, edit)
            changes = differences(before, draft.config)
            self._record(EventAction.DRAFT_UPDATED, edit, (None, draft.number), changes=changes)
        return draft

    def discard_draft(self, edit: Edit) -> JobVersion:
        """Delete the draft. Its number is never used again."""
        draft = self._allowed_draft(EventAction.DRAFT_DISCARDED, edit)
        edit.refuse()
        return self._discard(draft, None, edit)

    def publish_draft(self, message: str | None, references: References, edit: Edit) -> JobVersion:
        draft = self._allowed_draft(EventAction.DRAFT_PUBLISHED, edit)
        edit.problems += value_problems({"message": message})
        if self.draft and not edit.has_missed("expected_draft_revision"):
            edit.problems += draft.config.publication_problems(references, self.id, {})
        edit.refuse()
        draft.publish(edit, message)
        draft.revision += 1
        self.draft = None
        self._move(draft, EventAction.DRAFT_PUBLISHED, message, edit)
        return draft

    def create_version(
        self, values: Mapping[str, Any], message: str | None, references: References, edit: Edit
    ) -> JobVersion:
        """Draft, update and publish in one step."""
        edit.problems += step_problems(EventAction.VERSION_CREATED, self.draft)
        edit.problems += value_problems({"message": message})
        changed = self.current.config.changed(values, references.jobs)
        running = changed.publication_problems(references, self.id, CHANGES)
        missed = edit.has_missed("expected_current_version")
        edit.problems += (each for each in running if not missed or values.get(each.path[-1]))
        config = changed_config(self.current, values, references, edit)
        version = self._new_draft(config, edit, based_on=self.current_number)
        version.publish(edit, message)
        self._move(version, EventAction.VERSION_CREATED, message, edit)
        return version

    def activate(
        self,
        number: int,
        version: JobVersion | None,
        message: str | None,
        references: References,
        edit: Edit,
        *,
        discards: bool = False,
    ) -> JobVersion:
        """Make a published version current. Activating the current version again changes nothing.

        A draft is discarded if `discards` is true; otherwise it prevents the activation.
        """
        edit.problems += step_problems(EventAction.VERSION_ACTIVATED, None if discards else self.draft)
        edit.problems += value_problems({"message": message})
        edit.problems += activation_problems(self, number, version, references)
        edit.refuse()
        if self.draft:
            self._discard(self.draft, message, edit)
        activated = cast("JobVersion", version)
        if number != self.current_number:
            self._move(activated, EventAction.VERSION_ACTIVATED, message, edit)
        return activated

    def add_teams(self, team_ids: Sequence[str], edit: Edit) -> None:
        """Grant access to teams. A team that has access already keeps its grant."""
        if new := JobTeam.grant_all(self, team_ids, edit):
            self._record(EventAction.TEAMS_ADDED_TO_JOB, edit, changes=[change_of("teams", None, each) for each in new])

    def remove_team(self, team_id: str, edit: Edit) -> None:
        granted = next((each for each in self.teams if each.team_id == team_id), None)
        if granted is None:
            raise TeamNotFound(path=("team_id",), missing_id=team_id, lead="The job is shared with")
        if len(self.teams) == 1:
            raise TeamRequired(path=("team_id",), advice="Add another one before you remove this, its last.")
        self._record(EventAction.TEAM_REMOVED_FROM_JOB, edit, changes=[change_of("teams", team_id, None)])
        self.teams.remove(granted)

    def delete(self, dependents: JobHasDependents | None, edit: Edit) -> DeletedJob:
        """Add the last event and return what is kept of the job. Foreign keys delete its versions, runs and grants."""
        edit.problems += [dependents] if dependents else []
        edit.refuse()
        self._record(EventAction.JOB_DELETED, edit, (self.current_number, None))
        return DeletedJob.of(self, edit)

    def _allowed_draft(self, step: EventAction, edit: Edit) -> JobVersion:
        """Return the draft, or the current version if there is none, so that the given values are validated anyway."""
        edit.problems += step_problems(step, self.draft)
        return self.draft or self.current

    def _discard(self, draft: JobVersion, message: str | None, edit: Edit) -> JobVersion:
        """Delete the draft. The event keeps its configuration."""
        changes = differences(draft.config, None)
        self.versions.remove(draft)
        self.draft = None
        self._record(EventAction.DRAFT_DISCARDED, edit, (draft.number, None), message=message, changes=changes)
        return draft

    def _new_draft(self, config: JobConfig, edit: Edit, *, based_on: int | None) -> JobVersion:
        self.last_number += 1
        version = JobVersion.draft(self, self.last_number, config, edit, based_on=based_on)
        version.revision = max(1, self.event_count)  # above all revisions of earlier drafts: each was an event too
        self.versions.add(version)
        return version

    def _move(self, version: JobVersion, action: EventAction, message: str | None, edit: Edit) -> None:
        numbers, changes = (self.current_number, version.number), differences(self.current.config, version.config)
        self._point_to(version)
        self.activated_at = edit.at
        self._record(action, edit, numbers, message=message, changes=changes)

    def _point_to(self, version: JobVersion) -> None:
        self.current_number = version.number
        self.list_version(version)
        self.current = version

    def _record(self, action: EventAction, edit: Edit, versions: Numbers = (None, None), **details: Any) -> None:
        self.event_count += 1
        if action is not EventAction.DRAFT_UPDATED:
            self.revision += 1
            self.updated_at, self.updated_by_id = edit.at, edit.actor_id
        team_ids = [each.team_id for each in self.teams]
        edit.record(action, self, self.job_key, job_id=self.id, team_ids=team_ids, versions=versions, **details)
