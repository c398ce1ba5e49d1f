"""All expected errors.

    MainsheetError
    ├── BadInput                 an argument is invalid: a top-level error
    ├── Unavailable              the database failed, not the request (`models/unavailable.py`)
    └── UserError                a mutation is refused: an entry of its payload's `userErrors`
        ├── NotFound             JobNotFound · TeamNotFound · ClusterNotFound · SavedQueryNotFound · RunNotFound
        ├── DraftNotFound · VersionNotFound
        ├── Forbidden            visible, but the right is missing
        ├── Invalid              a value breaks its limit or format
        ├── DraftExists          the job has its one draft already
        ├── VersionNotPublished  a draft can't be activated
        ├── ClusterNotActive     jobs run on active clusters only
        ├── TeamRequired         a job has at least one team
        ├── JobKeyTaken          keys are unique in the organization
        ├── StaleRevision        another change came first
        ├── DependencyCycle      a job would depend on itself through other jobs
        ├── DependencyOnItself   a job may not depend on itself
        ├── DependencyNotFound   the dependency doesn't exist, or its job was deleted
        ├── JobHasDependents     other jobs depend on the job to delete
        ├── RunFinished · RunNotFinished
        ├── RunLeaseLost         the run isn't the worker's any more
        └── IdempotencyKeyReused the key belongs to another input

To add an expected error, add one class here. Its docstring becomes the description of the GraphQL type
`<name>Error` and of the code. Its fields become fields of the type, except those marked `IN_MESSAGE_ONLY`, which only
its `text` uses. A text says what is wrong, what was given, and what to do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mainsheet.models.roles import JobPermission, OrganizationRole, TeamRole

Path = tuple[str, ...]

IN_MESSAGE_ONLY: Mapping[str, Any] = {"private": True}


class MainsheetError(Exception):
    """The root of the tree."""


class BadInput(MainsheetError):
    """An argument is out of range or contradicts another one."""


class Refused(MainsheetError):
    """Carries all problems of one mutation's input."""

    def __init__(self, problems: Iterable["UserError"]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


@dataclass(kw_only=True, eq=False)
class UserError(MainsheetError):
    code: ClassVar[str]
    text: ClassVar[str]
    path: Path

    @property
    def message(self) -> str:
        return self.text.format_map(vars(self))

    def __str__(self) -> str:
        return self.message


@dataclass(kw_only=True, eq=False)
class NotFound(UserError):
    """An id or a name refers to nothing that the caller can see."""

    missing_id: str = field(metadata=IN_MESSAGE_ONLY)
    hint: str = field(default="", metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class JobNotFound(NotFound):
    """The job doesn't exist, or you can't see it."""

    code = "JOB_NOT_FOUND"
    text = "There is no job {missing_id!a:.60} that you can see.{hint}"
    path: Path = ("job_id",)


@dataclass(kw_only=True, eq=False)
class DraftNotFound(UserError):
    """The job has no draft."""

    code = "DRAFT_NOT_FOUND"
    text = "The job has no draft. Create one with createDraft first."
    path: Path = ("job_id",)


@dataclass(kw_only=True, eq=False)
class VersionNotFound(UserError):
    """The job has no version with this number."""

    code = "VERSION_NOT_FOUND"
    text = "The job has no version {number}. Its `versions` are those that can be activated, copied or run."
    path: Path = ("number",)
    number: int


@dataclass(kw_only=True, eq=False)
class TeamNotFound(NotFound):
    """The team doesn't exist, or it has no access to the job."""

    code = "TEAM_NOT_FOUND"
    text = "{lead} no team {missing_id!a:.60}.{hint}"
    lead: str = field(default="There is", metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class ClusterNotFound(NotFound):
    """The cluster doesn't exist."""

    code = "CLUSTER_NOT_FOUND"
    text = "There is no cluster {missing_id!a:.60}.{hint}"


@dataclass(kw_only=True, eq=False)
class SavedQueryNotFound(NotFound):
    """The saved query doesn't exist."""

    code = "SAVED_QUERY_NOT_FOUND"
    text = "There is no saved query {missing_id!a:.60}.{hint}"


@dataclass(kw_only=True, eq=False)
class Forbidden(UserError):
    """You can see the object, but a permission or role that the mutation needs is missing."""

    code = "FORBIDDEN"
    path: Path = ("job_id",)
    missing_permission: JobPermission | None = None
    team_id: str | None = None
    missing_team_role: TeamRole | None = None
    missing_organization_role: OrganizationRole | None = None

    @property
    def message(self) -> str:
        if self.missing_organization_role:
            return f"You may not do this: you need the organization role {self.missing_organization_role}."
        if self.missing_permission:
            return f"You may not do this: you lack the permission {self.missing_permission} on the job."
        return f"You may not do this: you need the role {self.missing_team_role} or more in the team {self.team_id}."


@dataclass(kw_only=True, eq=False)
class Invalid(UserError):
    """A value is out of range, has the wrong format, or contradicts another value."""

    code = "INVALID"
    text = "{reason}"
    reason: str = field(metadata=IN_MESSAGE_ONLY)
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None


@dataclass(kw_only=True, eq=False)
class DraftExists(UserError):
    """The job already has a draft. Publish or discard it first."""

    code = "DRAFT_EXISTS"
    text = "The job has a draft already, version {number}. Publish or discard it first."
    path: Path = ("job_id",)
    draft_id: str
    number: int = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class VersionNotPublished(UserError):
    """The version is a draft. Only published versions can be activated, copied or run."""

    code = "VERSION_NOT_PUBLISHED"
    text = "Version {number} is a draft. Publish it first."
    path: Path = ("number",)
    number: int


@dataclass(kw_only=True, eq=False)
class ClusterNotActive(UserError):
    """The cluster isn't active. A current version needs an active cluster."""

    code = "CLUSTER_NOT_ACTIVE"
    text = "The cluster is {status}. A current version needs one that is ACTIVE."
    cluster_id: str
    status: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class TeamRequired(UserError):
    """A job needs at least one team."""

    code = "TEAM_REQUIRED"
    text = "A job needs at least one team. {advice}"
    advice: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class JobKeyTaken(UserError):
    """Another job of the organization already has this key. It may be one that you can't see."""

    code = "JOB_KEY_TAKEN"
    text = "Another job of the organization has the key {job_key}. Choose another key."
    path: Path = ("job_key",)
    job_key: str


@dataclass(kw_only=True, eq=False)
class StaleRevision(UserError):
    """The object was changed in the meantime: its revision or current version isn't the expected one."""

    code = "STALE_REVISION"
    text = "You expected {what} to be {expected}, but it is {actual}. Look at it as it is now, then send this again."
    what: str = field(metadata=IN_MESSAGE_ONLY)
    expected: int
    actual: int


@dataclass(kw_only=True, eq=False)
class DependencyCycle(UserError):
    """The dependencies form a cycle."""

    code = "DEPENDENCY_CYCLE"
    text = "The job would depend on itself through other jobs. Remove one of the dependencies of the cycle."
    job_ids: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class DependencyOnItself(UserError):
    """A job can't depend on itself."""

    code = "DEPENDENCY_ON_ITSELF"
    text = "A job can't depend on itself. Remove this dependency."


@dataclass(kw_only=True, eq=False)
class DependencyNotFound(UserError):
    """The version has no such dependency, or the job that it depends on was deleted."""

    code = "DEPENDENCY_NOT_FOUND"
    text = "{reason}"
    dependency_id: str | None = None
    reason: str = field(metadata=IN_MESSAGE_ONLY)


@dataclass(kw_only=True, eq=False)
class JobHasDependents(UserError):
    """Current versions or drafts of other jobs depend on the job."""

    code = "JOB_HAS_DEPENDENTS"
    text = (
        "Other jobs depend on this job: {visible_count} that you can see and {hidden_count} that you can't. Remove"
        " their dependencies first, or send force: true."
    )
    path: Path = ("job_id",)
    dependent_ids: tuple[str, ...]
    visible_count: int = field(metadata=IN_MESSAGE_ONLY)
    hidden_count: int


@dataclass(kw_only=True, eq=False)
class IdempotencyKeyReused(UserError):
    """You used the idempotency key with another input or mutation within the last 24 hours."""

    code = "IDEMPOTENCY_KEY_REUSED"
    text = "This key was used with another input in the last 24 hours. Send that input again, or choose another key."
    path: Path = ("idempotency_key",)
