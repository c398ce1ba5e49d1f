"""The transaction of a command, and the registry of commands by GraphQL name."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypedDict, TypeVar

from sqlalchemy import BindParameter, Row, Select, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.base import Base
from mainsheet.models.clock import database_time
from mainsheet.models.edit import Edit
from mainsheet.models.errors import Forbidden, Invalid, JobNotFound, Path, UserError
from mainsheet.models.job import Job
from mainsheet.models.organization import Organization
from mainsheet.models.roles import IN_ORGANIZATION, AccessScope, JobPermission, OrganizationPermission
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.locked_job import load_parts, locked_job
from mainsheet.resolvers.permissions import granted, least_role, may
from mainsheet.resolvers.sql.array_param import TextArray
from mainsheet.resolvers.sql.rights import id_parameter

NOT_STORED = {"secret"}  # parts of answers that are shown once
NONE: Mapping[str, object] = {}
NOT_READ = datetime.max.replace(tzinfo=UTC)

# Parameters of statements that commands keep: most of what a statement costs is its construction and its cache key.
ACTOR_ID, ORGANIZATION_ID = map(id_parameter, ("actor_id", "organization_id"))  # the caller's
IDS: BindParameter[Sequence[str]] = bindparam("ids", type_=TextArray())

Entity = TypeVar("Entity", bound=Base)


def timed(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Add the database's time to what a statement selects: it costs no statement of its own."""
    return statement.add_columns(database_time().label("at"))


PLANS_FOR_VALUES = text("SET LOCAL plan_cache_mode = force_custom_plan")


@lru_cache
def _locked(entity: Any, *, key_share: bool, is_own: bool) -> Select[*tuple[Any, ...]]:
    found = timed(select(entity).where(entity.id == bindparam("id")))
    own = found.where(entity.organization_id == ORGANIZATION_ID) if is_own else found
    return own.with_for_update(of=entity, key_share=key_share)


class Write(Edit):
    """A command's transaction: the session, the caller, the database's time, the problems and the events.

    `now` is the database's time when `first` last found a row. `at` is the same, but not before the job's last change:
    the clock may have been set back. Everything that the command stores after that has the time `at`, except for runs:
    workers wait for their times.
    """

    def __init__(self, session: AsyncSession, caller: Caller) -> None:
        super().__init__(caller.actor_id, NOT_READ)
        self.now = NOT_READ
        self.session = session
        self.caller = caller

    def parameters(self, ids: Iterable[str] = (), **more: object) -> Mapping[str, object]:
        """Return the parameters of a kept statement."""
        own = {"actor_id": self.caller.actor_id, "organization_id": self.caller.organization_id}
        return {**own, "ids": ids, **more}

    async def plan_for_values(self) -> None:
        """Let PostgreSQL plan each statement that follows for its values, and so its checks of foreign keys.

        Before a row is deleted, the rows that refer to it are looked for. If the others refer to few rows, such as a
        few clusters or jobs, the plan for any value reads the whole table.
        """
        if self.session.get_bind().dialect.name == "postgresql":
            await self.session.execute(PLANS_FOR_VALUES)

    async def first(
        self, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, object] = NONE
    ) -> Row[*tuple[Any, ...]] | None:
        """Return the first row of a `timed` statement, if any, and set `now` and `at` from it."""
        row = (await self.session.execute(statement, parameters)).first()
        if row is not None:
            self.at = self.now = row.at
        return row

    async def lock(
        self, entity: type[Entity], id: str, *, key_share: bool = True, is_own: bool = False
    ) -> Entity | None:
        """Lock the row with this id until the end of the transaction. Return it, or None.

        With `key_share`, other transactions can still insert rows that refer to it. If it `is_own`, the row must be one
        of the caller's organization.
        """
        found = _locked(entity, key_share=key_share, is_own=is_own)
        row = await self.first(found, self.parameters(id=id)) if limits.storable(id) else None
        return None if row is None else row[0]

    async def job(self, job_id: str, permission: JobPermission) -> Job:
        """Return the job, locked. Raises `JobNotFound` if the caller can't see it, or `Forbidden`."""
        # Only a deletion blocks new runs of the job and new dependencies on it. Otherwise, two concurrent changes that
        # make two jobs depend on each other would deadlock.
        shared = permission is not JobPermission.DELETE
        found = locked_job(self.caller.organization_role, key_share=shared)
        # If PostgreSQL has to wait for the lock, it reads the row and the time again afterwards.
        row = await self.first(found, self.parameters(job_id=job_id)) if limits.storable(job_id) else None
        if row is None:
            raise JobNotFound(missing_id=job_id)
        job: Job = row[0]
        allowed = granted(self.caller, await load_parts(self.session, job, self.caller))
        if JobPermission.VIEW not in allowed:  # the caller lost access while this transaction waited for the lock
            raise JobNotFound(missing_id=job_id)
        if permission not in allowed:
            raise Forbidden(missing_permission=permission)
        # A clock that was set back must not change the order of the job's events.
        self.at = max(self.at, job.updated_at)
        return job

    def utc(self, moment: datetime, path: Path) -> datetime:
        """Convert a time to UTC; without an offset it is UTC. Add a problem if the result isn't in the calendar."""
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            self.problems.append(Invalid(path=path, reason="The time is outside the years 1 to 9999 in UTC."))
            return self.at

    def require(self, permission: OrganizationPermission) -> None:
        """Raise `Forbidden` unless the caller's role has the permission in the organization."""
        if not may(self.caller, permission):
            raise Forbidden(path=(), missing_organization_role=least_role(IN_ORGANIZATION, permission))

    async def own(self, entity: type[Entity], id: str, missing: UserError) -> Entity:
        """Return a row of the caller's organization, locked. Raises `missing` if there is none."""
        row = await self.lock(entity, id, is_own=True)
        if row is None:
            raise missing
        return row

    async def organization(self, permission: OrganizationPermission) -> Organization:
        """Return the caller's organization, locked. Raises `Forbidden` unless the caller has the permission in it."""
        self.require(permission)
        organization = await self.lock(Organization, self.caller.organization_id)
        if organization is None:
            raise RuntimeError("The organization of the caller doesn't exist.")
        return organization


class JobAnswer(TypedDict):
    job_id: str


class CloneAnswer(TypedDict):
    cloned_job_id: str


class VersionAnswer(JobAnswer):
    version_id: str


class RunAnswer(JobAnswer):
    run_id: str


class DiscardAnswer(JobAnswer):
    discarded_number: int


class DeleteAnswer(TypedDict):
    deleted_job_id: str
    cancelled_runs: list[Any]


class OrganizationAnswer(TypedDict):
    organization_id: str


class TeamAnswer(TypedDict):
    team_id: str


class MemberAnswer(TypedDict):
    member_id: str


class ServiceAccountAnswer(TypedDict):
    service_account_id: str


class ClusterAnswer(TypedDict):
    cluster_id: str


class SavedQueryAnswer(TypedDict):
    saved_query_id: str


class AccessTokenAnswer(TypedDict):
    access_token_id: str


class NewAccessTokenAnswer(AccessTokenAnswer):
    secret: str


class DeletedTeamAnswer(TypedDict):
    deleted_team_id: str


class DeletedClusterAnswer(TypedDict):
    deleted_cluster_id: str


class DeletedSavedQueryAnswer(TypedDict):
    deleted_saved_query_id: str


class WebhookAnswer(TypedDict):
    webhook_id: str


class NewWebhookAnswer(WebhookAnswer):
    secret: str


class WebhookDeliveriesAnswer(WebhookAnswer):
    requested_ids: tuple[str, ...]


class DeletedWebhookAnswer(TypedDict):
    deleted_webhook_id: str


Run = Callable[..., Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Plan:
    """The order in which the items of a batch are run, and the problems of items that contradict others."""

    order: Sequence[int]
    problems: Mapping[int, Sequence[UserError]] = field(default_factory=dict)


def as_given(items: Sequence[Mapping[str, Any]]) -> Plan:
    return Plan(range(len(items)))


@dataclass(frozen=True)
class Command:
    """A command, the name of its mutation, and the scopes of which a token needs one for it.

    `run` gets the transaction and the input's values by name. In a batch, `run` gets the values of one item of the list
    `items` at a time, in the order that `plan` returns.
    """

    name: str
    scopes: Sequence[AccessScope]
    run: Run
    items: str | None = None
    plan: Callable[[Sequence[Mapping[str, Any]]], Plan] = as_given


COMMANDS: dict[str, Command] = {}


def command(name: str, scope: AccessScope, *others: AccessScope, **batch: Any) -> Callable[[Run], Command]:
    """Register a function as the command of the mutation with this GraphQL name."""

    def register(run: Run) -> Command:
        if name in COMMANDS:
            raise ValueError(f"There is a command {name} already.")
        made = COMMANDS[name] = Command(name, (scope, *others), run, **batch)
        return made

    return register
