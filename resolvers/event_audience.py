"""The actors that may see new events: read once for all subscriptions, so that only theirs read the feed."""

from collections.abc import Container
from typing import NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, String, bindparam, func, literal, select, union

from mainsheet.models.database import Database
from mainsheet.models.deleted_job import DeletedJobTeam
from mainsheet.models.event import Event, EventAction
from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.sql.array_param import KEYS, among
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View, rows_of

MOST = 10_000  # actors; if more may see the events, all readers are woken


class Viewer(NamedTuple):
    actor_id: str | None  # None if the event is open to all members


class Everybody:
    def __contains__(self, _actor_id: object) -> bool:
        return True


EVERYBODY = Everybody()
Audience = Container[str]


async def audience(database: Database, organization_id: str, after: str, to: str) -> Audience:
    """Return the actors that see one of the events after a position up to another.

    Actors whose organization role lets them see all jobs need not be among them. The rules are those of `sees_event`
    and `sees_change` together.
    """
    rows = await rows_alone(database, _viewers, keys=[organization_id], after=after, to=to)
    found = {row.actor_id for row in rows}
    return EVERYBODY if None in found or len(found) > MOST else {each for each in found if each is not None}


@rows_of(Viewer, key="actor_id")
def _viewers(view: View) -> Statement:
    teams = teams_of_events(view, _is_new()).subquery()
    through_teams = select(TeamMember.actor_id).where(TeamMember.team_id.in_(select(teams)))
    others = select(Event.only_for_id).where(_is_new(), Event.job_id.is_(None))
    found = union(through_teams, others).subquery()
    return select(found.c.actor_id).limit(MOST + 1)


def teams_of_events(view: View, is_its: ColumnElement[bool]) -> CompoundSelect[str]:
    """Select the teams that have access to the events' jobs, had it when a job was deleted, or have just lost it."""
    jobs = select(Event.job_id).where(is_its, Event.job_id.is_not(None)).distinct()  # one may have many events
    has = select(JobTeam.team_id).where(JobTeam.job_id.in_(jobs))
    had = select(DeletedJobTeam.team_id).where(DeletedJobTeam.deleted_job_id.in_(jobs))
    elements = func.json_each if view.is_sqlite else func.jsonb_array_elements_text
    team = elements(Event.team_ids).table_valued("value", name="team")
    lost = (
        select(team.c.value)
        .select_from(Event)
        .join(team, literal(value=True))
        .where(is_its, Event.action == EventAction.TEAM_REMOVED_FROM_JOB)
    )
    return union(has, had, lost)


def _is_new() -> ColumnElement[bool]:
    after, to = (bindparam(name, type_=String()) for name in ("after", "to"))
    return among(Event.organization_id, KEYS) & (Event.position > after) & (Event.position <= to)
