"""The one place that knows who sees and who may do what; the tables it reads are in `mainsheet.models.roles`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, literal_column, select

from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.roles import BY_ORGANIZATION, BY_TEAM, JobPermission, OrganizationRole, TeamRole
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View


def sees_all_jobs(caller: Caller) -> bool:
    return JobPermission.VIEW in BY_ORGANIZATION[caller.organization_role]


def visible(caller: Caller) -> ColumnElement[bool]:
    """Whether the caller sees the row of `Job`, looked up for that row; what isn't visible doesn't exist for them."""
    own = Job.organization_id == caller.organization_id
    return own if sees_all_jobs(caller) else own & _grants(caller).exists()


def reached(caller: Caller) -> ColumnElement[bool]:
    """The same, but looked up in a set of all jobs that the caller's teams reach."""
    own = Job.organization_id == caller.organization_id
    return own if sees_all_jobs(caller) else own & Job.id.in_(through_teams(caller))


def met(caller: Caller, job: Any = Job) -> ColumnElement[bool]:
    """The same, but whatever the database thinks of it, row by row in the order in which jobs are met."""
    own: ColumnElement[bool] = job.organization_id == caller.organization_id
    if sees_all_jobs(caller):
        return own
    teams = select(TeamMember.team_id).where(TeamMember.member_id == caller.member_id)
    to_one = JobTeam.team_id.in_(teams).is_(True)
    return own & is_any(select(JobTeam.job_id).where(JobTeam.job_id == job.id, to_one).correlate(job))


def gathered(caller: Caller) -> ColumnElement[bool]:
    """The same, but whatever the database thinks of it, in the set: right where many jobs are asked about."""
    own = Job.organization_id == caller.organization_id
    return own if sees_all_jobs(caller) else own & Job.id.in_(through_teams(caller)).is_(True)


def is_any(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether there is a row; a database that is asked so looks for one when it comes to it, and never joins."""
    return rows.limit(literal_column("1")).scalar_subquery().is_not(None)


def through_teams(caller: Caller) -> Select[str]:
    """Select the jobs that the caller's teams have access to, some more than once."""
    return (
        select(JobTeam.job_id)
        .join(TeamMember, TeamMember.team_id == JobTeam.team_id)
        .where(TeamMember.member_id == caller.member_id)
    )


def _grants(caller: Caller) -> Select[str]:
    return through_teams(caller).where(JobTeam.job_id == Job.id).correlate(Job)


async def of_jobs(read: Read, job_ids: Sequence[str]) -> Mapping[str, list[JobPermission]]:
    """Return what the caller may do with each job, given that they see it."""
    roles = await read.grouped(_roles, "job_id", job_ids)
    return {
        job_id: [each for each in JobPermission if each in granted(read.caller, [row.role for row in rows])]
        for job_id, rows in roles.items()
    }


def _roles(view: View) -> Statement:
    return roles_in_jobs(view.caller, KEYS)


def roles_in_jobs(caller: Caller, job_ids: Sequence[str] | BindParameter[Any]) -> Select[str, TeamRole]:
    """Select the caller's role in each team of each job."""
    return (
        select(JobTeam.job_id, TeamMember.role)
        .join(TeamMember, TeamMember.team_id == JobTeam.team_id)
        .where(TeamMember.member_id == caller.member_id, among(JobTeam.job_id, job_ids))
    )


def granted(caller: Caller, roles: Sequence[TeamRole]) -> frozenset[JobPermission]:
    """Add up the rights of the organization role and of all team roles."""
    return BY_ORGANIZATION[caller.organization_role].union(*(BY_TEAM[role] for role in roles))


def may_share_with(caller: Caller, role: TeamRole | None, needed: TeamRole) -> bool:
    """Whether a caller with this role in a team may share a job with it."""
    if caller.organization_role is OrganizationRole.ADMIN:
        return True
    return role is not None and BY_TEAM[role] >= BY_TEAM[needed]
