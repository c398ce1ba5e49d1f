"""Who sees which events."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, String, bindparam, exists, func, literal, literal_column, or_, select

from mainsheet.models.deleted_job import DeletedJob
from mainsheet.models.event import Event, EventAction
from mainsheet.models.roles import TeamRole
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.event_audience import teams_of_events
from mainsheet.resolvers.permissions import Access, is_any, is_granted, sees_all_jobs, was_visible
from mainsheet.resolvers.sql.array_param import KEYS, among, each_key
from mainsheet.resolvers.sql.rights import Extent
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

EVENT_ID = bindparam("event_id", type_=String())

TeamRights = frozenset[str | tuple[str, TeamRole]]
NO_RIGHTS: TeamRights = frozenset()


class Viewer(NamedTuple):
    actor_id: str


class Membership(NamedTuple):
    actor_id: str
    team_id: str
    role: TeamRole


def sees_event(view: View, event: type[Event] = Event) -> ColumnElement[bool]:
    """Whether the caller sees the event's subject, or could see it when it was deleted."""
    is_own = event.job_id.is_(None) & (event.only_for_id == view.own_id)
    return sees_open_event(view, event) if sees_all_jobs(view.caller) else or_(sees_open_event(view, event), is_own)


def sees_open_event(view: View, event: type[Event] = Event) -> ColumnElement[bool]:
    """Whether the caller sees the event, and so do all others with the same rights on its job."""
    is_open = event.job_id.is_(None) & event.only_for_id.is_(None)
    return or_(is_open, _sees_its_job(view, event))


def sees_change(view: View, event: type[Event] = Event) -> ColumnElement[bool]:
    """Whether the event is about a job that the caller sees, or removed a team by which the caller saw it."""
    if view.is_sqlite:
        had = func.json_each(event.team_ids).table_valued("value", name="had")
        is_its: ColumnElement[bool] = TeamMember.team_id.in_(select(had.c.value))
    else:
        is_its = func.jsonb_exists(event.team_ids, TeamMember.team_id, type_=Boolean())
    could_see = exists().where(TeamMember.actor_id == view.caller.actor_id, is_its)
    took_access = (event.action == EventAction.TEAM_REMOVED_FROM_JOB) & could_see.correlate(event)
    return event.job_id.is_not(None) & or_(_sees_its_job(view, event), took_access)


def _sees_its_job(view: View, event: type[Event]) -> ColumnElement[bool]:
    if sees_all_jobs(view.caller):
        return literal(value=True)
    # Looked up for each event: the jobs that the caller sees may be all of the organization.
    seen = is_granted(view.caller, event, event.job_id, Access.FORCED_LOOKUP)
    was_seen = select(DeletedJob.id).where(DeletedJob.id == event.job_id, was_visible(view.caller))
    return or_(seen, is_any(was_seen.correlate(event)))


async def viewers(read: Read, event_id: str, actor_ids: Sequence[str], *, of_change: bool) -> set[str]:
    """Return which of these actors, who have the caller's role in the organization, see the event if it is open."""
    rows = await read.rows(_viewers, of_change, keys=actor_ids, event_id=event_id)
    return {row.actor_id for row in rows}


async def team_rights(read: Read, event_id: str, actor_ids: Sequence[str], extent: Extent) -> Mapping[str, TeamRights]:
    """Return the teams, or the roles in teams, of each actor on which the results for the event may depend.

    Up to `Extent.ROLES`, they are those in teams that have, had or lost access to the event's job.
    """
    found: defaultdict[str, set[str | tuple[str, TeamRole]]] = defaultdict(set)
    for row in await read.rows(_memberships, extent > Extent.ROLES, keys=actor_ids, event_id=event_id):
        found[row.actor_id].add((row.team_id, row.role) if extent > Extent.TEAMS else row.team_id)
    return {actor_id: frozenset(rights) for actor_id, rights in found.items()}


@rows_of(Viewer, key="actor_id")
def _viewers(view: View, of_change: bool) -> Statement:
    """Check the event for each actor as for a caller with this id."""
    actor = each_key("viewer", is_sqlite=view.is_sqlite)
    actor_id: Any = literal_column("viewer.value", String(20))  # a column of its own in no FROM of a subquery
    as_each = replace(view, caller=replace(view.caller, actor_id=actor_id))
    is_its = (Event.id == EVENT_ID) & (Event.organization_id == view.caller.organization_id)
    sees = sees_change(as_each) if of_change else sees_open_event(as_each)
    return select(actor.c.value.label("actor_id")).where(exists().where(is_its, sees))


@rows_of(Membership, key="actor_id")
def _memberships(view: View, of_all_teams: bool) -> Statement:
    rows = select(TeamMember.actor_id, TeamMember.team_id, TeamMember.role).where(among(TeamMember.actor_id, KEYS))
    if of_all_teams:
        return rows
    teams = teams_of_events(view, Event.id == EVENT_ID).subquery()
    return rows.where(TeamMember.team_id.in_(select(teams)))
