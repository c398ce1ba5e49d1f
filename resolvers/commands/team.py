from typing import Any

from sqlalchemy import select
from sqlalchemy import update as update_of

from mainsheet.models.errors import TeamNotFound
from mainsheet.models.event import ROLE_CHANGES, Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_team import JobTeam
from mainsheet.models.member import Member
from mainsheet.models.provisioning_errors import ActorNotFound, TeamInUse
from mainsheet.models.roles import AccessScope, OrganizationPermission, TeamPermission, TeamRole
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.commands.provisioning import check_unique, check_unused, locked_actor, require_in_team
from mainsheet.resolvers.sql.array_param import among_these
from mainsheet.resolvers.write import DeletedTeamAnswer, TeamAnswer, Write, command


@command("createTeam", AccessScope.ADMIN)
async def create(write: Write, *, message: str | None = None, **values: Any) -> TeamAnswer:
    await write.organization(OrganizationPermission.MANAGE_TEAMS)
    await check_unique(write, Team, values)
    team = Team(id=new_id(Team.PREFIX, write.at), organization_id=write.caller.organization_id, revision=1)
    team.begin(EventAction.TEAM_CREATED, values, write, message)
    write.session.add(team)
    return {"team_id": team.id}


@command("updateTeam", AccessScope.WRITE)
async def update(
    write: Write, *, team_id: str, expected_revision: int | None = None, message: str | None = None, **values: Any
) -> TeamAnswer:
    team = await _team(write, team_id, TeamPermission.EDIT)
    await check_unique(write, Team, values, team_id)
    team.change(EventAction.TEAM_UPDATED, values, write, expected_revision=expected_revision, message=message)
    return {"team_id": team.id}


@command("deleteTeam", AccessScope.ADMIN)
async def delete(
    write: Write, *, team_id: str, expected_revision: int | None = None, message: str | None = None
) -> DeletedTeamAnswer:
    """Delete a team with its roles. Saved queries of the team belong to none then."""
    await write.organization(OrganizationPermission.MANAGE_TEAMS)
    team = await write.own(Team, team_id, TeamNotFound(path=("team_id",), missing_id=team_id))
    granted = among_these(Job.id, select(JobTeam.job_id).where(JobTeam.team_id == team_id))
    await check_unused(write, team, TeamInUse, granted, "Remove their access first.")
    team.end(EventAction.TEAM_DELETED, write, expected_revision, message)
    await write.session.execute(update_of(SavedQuery).where(SavedQuery.team_id == team_id).values(team_id=None))
    # Messages may name a person, and `eraseMember` finds them by the teams that there are.
    about_roles = (Event.subject_id == team_id) & Event.action.in_(ROLE_CHANGES)
    await write.session.execute(update_of(Event).where(about_roles).values(message=None))
    await write.session.delete(team)
    return {"deleted_team_id": team_id}


@command("setTeamRole", AccessScope.WRITE)
async def set_role(
    write: Write, *, team_id: str, actor_id: str, role: TeamRole, message: str | None = None
) -> TeamAnswer:
    team = await _team(write, team_id, TeamPermission.MANAGE_MEMBERS)
    whose = await locked_actor(write, actor_id)
    write.explain(message)
    write.refuse()
    if isinstance(whose, Member):
        whose.refuse_if_erased(write, "actor_id")
    membership = await write.session.get(TeamMember, (team_id, actor_id))
    if membership is None:
        write.session.add(
            TeamMember(organization_id=team.organization_id, team_id=team_id, actor_id=actor_id, role=role)
        )
    elif membership.role is role:
        return {"team_id": team_id}
    before = None if membership is None else membership.role
    if membership is not None:
        membership.role = role
    team.set_member(EventAction.TEAM_ROLE_SET, whose.id, before, role, write)
    return {"team_id": team_id}


@command("removeFromTeam", AccessScope.WRITE)
async def remove(write: Write, *, team_id: str, actor_id: str, message: str | None = None) -> TeamAnswer:
    team = await _team(write, team_id, TeamPermission.MANAGE_MEMBERS)
    whose = await locked_actor(write, actor_id)
    write.explain(message)
    write.refuse()
    membership = await write.session.get(TeamMember, (team_id, actor_id))
    if membership is None:
        raise ActorNotFound(missing_id=actor_id)
    await write.session.delete(membership)
    team.set_member(EventAction.TEAM_ROLE_REMOVED, whose.id, membership.role, None, write)
    return {"team_id": team_id}


async def _team(write: Write, team_id: str, permission: TeamPermission) -> Team:
    """Return the team, locked. Raises `Forbidden` unless the caller has the permission in it."""
    team = await write.own(Team, team_id, TeamNotFound(path=("team_id",), missing_id=team_id))
    await require_in_team(write, team_id, permission)
    return team
