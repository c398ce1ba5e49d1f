"""All checks of visibility and permissions. The tables of roles are in `mainsheet.models.roles`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import NamedTuple, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, literal_column, select
from sqlalchemy.orm import aliased

from mainsheet.models.deleted_job import DeletedJob, DeletedJobTeam
from mainsheet.models.event import Event
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.roles import (
    BY_ORGANIZATION,
    BY_TEAM,
    IN_ORGANIZATION,
    IN_TEAM,
    JobPermission,
    OrganizationPermission,
    TeamPermission,
    TeamRole,
)
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Attribute, Statement, View, rows_of

Role = TypeVar("Role")
Permission = TypeVar("Permission")

_Grant = aliased(JobTeam)  # a name of its own: the row that is checked may be a JobTeam, too


def sees_all_jobs(caller: Caller) -> bool:
    return JobPermission.VIEW in BY_ORGANIZATION[caller.organization_role]


def seeing_all_jobs(caller: Caller) -> Caller:
    """Return a caller of the same organization who sees all of its jobs and events."""
    return replace(caller, organization_role=least_role(BY_ORGANIZATION, JobPermission.VIEW))


def was_visible(caller: Caller) -> ColumnElement[bool]:
    """Whether the caller could see a deleted job: through a team that had access, or by an organization role."""
    own: ColumnElement[bool] = DeletedJob.organization_id == caller.organization_id
    if sees_all_jobs(caller):
        return own
    through_team = (
        select(DeletedJobTeam.team_id)
        .join(TeamMember, TeamMember.team_id == DeletedJobTeam.team_id)
        .where(DeletedJobTeam.deleted_job_id == DeletedJob.id, TeamMember.actor_id == caller.actor_id)
    )
    return own & through_team.correlate(DeletedJob).exists()


class Access(Enum):
    """How a database checks which jobs a caller's teams were granted. All ways give the same rows."""

    LOOKUP = "a lookup of each job's grants, which the planner may turn into a join: for jobs known by their ids"
    SET = "one set of all granted jobs, from which the planner may start: for callers with few grants"
    FORCED_LOOKUP = "a lookup of each job's grants in the order of the scan, never joined: for a page that fills soon"
    FORCED_SET = "one set of all granted jobs, never joined: for reading many jobs, in counts and far pages"


def visible(caller: Caller, job: type[Job] = Job, access: Access = Access.LOOKUP) -> ColumnElement[bool]:
    """Whether the caller sees the job. A job that isn't visible is treated as if it didn't exist."""
    own: ColumnElement[bool] = job.organization_id == caller.organization_id
    return own if sees_all_jobs(caller) else own & is_granted(caller, job, job.id, access)


def is_granted(
    caller: Caller, row: type[Job | JobTeam | Event], job_id: Attribute, access: Access
) -> ColumnElement[bool]:
    """Whether a team of the caller has access to the job whose id is in this column of `row`."""
    match access:
        case Access.LOOKUP:
            return through_teams(caller, _Grant).where(_Grant.job_id == job_id).correlate(row).exists()
        case Access.SET:
            return job_id.in_(through_teams(caller))
        case Access.FORCED_SET:
            return job_id.in_(through_teams(caller)).is_(True)
        case Access.FORCED_LOOKUP:
            teams = select(TeamMember.team_id).where(TeamMember.actor_id == caller.actor_id)
            to_one = _Grant.team_id.in_(teams).is_(True)
            return is_any(select(_Grant.job_id).where(_Grant.job_id == job_id, to_one).correlate(row))


def permitted(caller: Caller, permission: JobPermission) -> ColumnElement[bool]:
    """Whether the caller has the permission on the job."""
    own: ColumnElement[bool] = Job.organization_id == caller.organization_id
    if permission in BY_ORGANIZATION[caller.organization_role]:
        return own
    roles = [role for role, permissions in BY_TEAM.items() if permission in permissions]
    granted = through_teams(caller).where(JobTeam.job_id == Job.id, TeamMember.role.in_(roles))
    return own & granted.correlate(Job).exists()


def is_any(rows: Select[str]) -> ColumnElement[bool]:
    """Whether there is a row. As a scalar subquery it runs for each outer row: a database never makes it a join."""
    return rows.limit(literal_column("1")).scalar_subquery().is_not(None)


def through_teams(caller: Caller, grant: type[JobTeam] = JobTeam) -> Select[str]:
    """Select the jobs that the caller's teams have access to, some more than once."""
    return (
        select(grant.job_id)
        .join(TeamMember, TeamMember.team_id == grant.team_id)
        .where(TeamMember.actor_id == caller.actor_id)
    )


async def of_jobs(read: Read, job_ids: Sequence[str]) -> Mapping[str, list[JobPermission]]:
    """Return what the caller may do with each job, given that they see it."""
    roles = await read.about(job_ids).grouped(_roles, job_ids)
    return {
        job_id: [each for each in JobPermission if each in granted(read.caller, [row.role for row in rows])]
        for job_id, rows in roles.items()
    }


class RoleInJob(NamedTuple):
    job_id: str
    role: TeamRole


@rows_of(RoleInJob, key="job_id")
def _roles(view: View) -> Statement:
    return roles_in_jobs(view.caller, KEYS)


def roles_in_jobs(caller: Caller, job_ids: Sequence[str] | BindParameter[Sequence[str]]) -> Select[str, TeamRole]:
    """Select the caller's role in each team of each job."""
    return (
        select(JobTeam.job_id, TeamMember.role)
        .join(TeamMember, TeamMember.team_id == JobTeam.team_id)
        .where(TeamMember.actor_id == caller.actor_id, among(JobTeam.job_id, job_ids))
    )


async def of_teams(read: Read, team_ids: Sequence[str]) -> Mapping[str, list[TeamPermission]]:
    """Return what the caller may do with each team."""
    roles = await read.grouped(_own_roles, team_ids)
    return {
        team_id: [each for each in TeamPermission if each in _in_team(read.caller, [row.role for row in rows])]
        for team_id, rows in roles.items()
    }


def _in_team(caller: Caller, roles: Sequence[TeamRole]) -> frozenset[TeamPermission]:
    """Return the rights of the role in a team. Who manages all teams has all, also without one."""
    if may(caller, OrganizationPermission.MANAGE_TEAMS):
        return frozenset(TeamPermission)
    return frozenset().union(*(IN_TEAM[role] for role in roles))


class RoleInTeam(NamedTuple):
    team_id: str
    role: TeamRole


@rows_of(RoleInTeam, key="team_id")
def _own_roles(view: View) -> Statement:
    own = TeamMember.actor_id == view.caller.actor_id
    return select(TeamMember.team_id, TeamMember.role).where(own, among(TeamMember.team_id, KEYS))


def in_organization(caller: Caller) -> list[OrganizationPermission]:
    """Return what the caller may do in the organization."""
    return [each for each in OrganizationPermission if may(caller, each)]


def may(caller: Caller, permission: OrganizationPermission) -> bool:
    """Whether the caller has the permission in the organization."""
    return permission in IN_ORGANIZATION[caller.organization_role]


def may_in_team(caller: Caller, role: TeamRole | None, permission: TeamPermission) -> bool:
    """Whether a caller with this role in a team has the permission in it."""
    return permission in _in_team(caller, [] if role is None else [role])


def least_role(roles: Mapping[Role, frozenset[Permission]], permission: Permission) -> Role:
    """Return the role with the fewest rights that has the permission."""
    return next(role for role, permissions in roles.items() if permission in permissions)


def granted(caller: Caller, roles: Sequence[TeamRole]) -> frozenset[JobPermission]:
    """Add up the rights of the organization role and of all team roles."""
    return BY_ORGANIZATION[caller.organization_role].union(*(BY_TEAM[role] for role in roles))
