from typing import Any

from sqlalchemy import select

from mainsheet.models.errors import Forbidden, SavedQueryNotFound, TeamNotFound
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.provisioning_errors import SavedQueryInUse
from mainsheet.models.roles import AccessScope, JobPermission, OrganizationPermission, TeamPermission
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team
from mainsheet.resolvers.commands.provisioning import check_unique, check_unused, require_in_team, require_scope
from mainsheet.resolvers.permissions import granted, roles_in_jobs
from mainsheet.resolvers.saved_query import runs_query
from mainsheet.resolvers.write import DeletedSavedQueryAnswer, SavedQueryAnswer, Write, command


@command("createSavedQuery", AccessScope.WRITE)
async def create(write: Write, *, team_id: str, message: str | None = None, **values: Any) -> SavedQueryAnswer:
    await _check_team(write, team_id)
    await check_unique(write, SavedQuery, values)
    query = SavedQuery(id=new_id(SavedQuery.PREFIX, write.at), organization_id=write.caller.organization_id, revision=1)
    query.begin(EventAction.SAVED_QUERY_CREATED, {**values, "team_id": team_id}, write, message)
    write.session.add(query)
    return {"saved_query_id": query.id}


@command("updateSavedQuery", AccessScope.WRITE)
async def update(
    write: Write,
    *,
    saved_query_id: str,
    expected_revision: int | None = None,
    message: str | None = None,
    **values: Any,
) -> SavedQueryAnswer:
    query = await _editable(write, saved_query_id)
    if values.get("team_id") is not None:
        await _check_team(write, values["team_id"])
    await check_unique(write, SavedQuery, values, saved_query_id)
    query.change(EventAction.SAVED_QUERY_UPDATED, values, write, expected_revision=expected_revision, message=message)
    return {"saved_query_id": query.id}


@command("deleteSavedQuery", AccessScope.WRITE)
async def delete(
    write: Write, *, saved_query_id: str, expected_revision: int | None = None, message: str | None = None
) -> DeletedSavedQueryAnswer:
    query = await _editable(write, saved_query_id)
    advice = "Versions that were published keep it for ever."
    await check_unused(write, query, SavedQueryInUse, runs_query(saved_query_id, is_current=False), advice)
    query.end(EventAction.SAVED_QUERY_DELETED, write, expected_revision, message)
    await write.session.delete(query)
    return {"deleted_saved_query_id": saved_query_id}


async def _check_team(write: Write, team_id: str) -> None:
    await write.own(Team, team_id, TeamNotFound(path=("team_id",), missing_id=team_id))
    await require_in_team(write, team_id, TeamPermission.EDIT_SAVED_QUERIES)


async def _editable(write: Write, saved_query_id: str) -> SavedQuery:
    """Return the saved query, locked. Raises `Forbidden` unless the caller may change it and all jobs that run it."""
    missing = SavedQueryNotFound(path=("saved_query_id",), missing_id=saved_query_id)
    query = await write.own(SavedQuery, saved_query_id, missing)
    if query.team_id is None:
        write.require(OrganizationPermission.MANAGE_TEAMS)
        require_scope(write, AccessScope.ADMIN)
    else:
        await require_in_team(write, query.team_id, TeamPermission.EDIT_SAVED_QUERIES)
    job_ids = (await write.session.scalars(select(Job.id).where(runs_query(saved_query_id)))).all()
    roles = (await write.session.execute(roles_in_jobs(write.caller, job_ids))).all()
    for job_id in job_ids:
        allowed = granted(write.caller, [row.role for row in roles if row.job_id == job_id])
        if JobPermission.EDIT not in allowed:
            raise Forbidden(path=("saved_query_id",), missing_permission=JobPermission.EDIT)
    return query
