"""The jobs of the caller's teams, read from the grants alone: an index has each team's in the order of creation."""

from sqlalchemy import ColumnElement, Select, String, Subquery, bindparam, func, select, true, type_coerce
from sqlalchemy.orm import aliased

from mainsheet.models.job_team import JobTeam
from mainsheet.models.team import TeamMember
from mainsheet.resolvers.permissions import through_teams
from mainsheet.resolvers.sql.array_param import among_these
from mainsheet.resolvers.sql.pagination.scan_then_index import NO_OFFSET
from mainsheet.resolvers.sql.pagination.slices import END, OFFSET, SIZE, SortedRows
from mainsheet.resolvers.sql.statement import Attribute, Expression, Statement, View

Own = aliased(JobTeam)


def is_own(job_id: Attribute) -> ColumnElement[bool]:
    """Whether the id is one of a job of the caller's teams. A statement reads all of these ids first."""
    own = select(Own.job_id).join(TeamMember, TeamMember.team_id == Own.team_id)
    return among_these(job_id, own.where(TeamMember.actor_id == bindparam("actor_id", type_=String(20))))


def _all_grants() -> Subquery:
    """Select all grants of the caller's jobs, also to other teams."""
    return select(JobTeam).where(is_own(JobTeam.job_id)).offset(NO_OFFSET).subquery("granted")


Granted = aliased(JobTeam, _all_grants())


def page_ids(view: View, all_rows: SortedRows) -> Select[str]:
    """Select the ids of a page: the first jobs of each team, up to the end of the page, then the first of these."""
    grants, at, job_id = _joined_grants(view, _first_of_team(all_rows))
    ids = grants.where(TeamMember.actor_id == view.caller.actor_id).group_by(at, job_id)
    return ids.order_by(*all_rows.order_of(at, job_id)).limit(SIZE).offset(OFFSET)


def _joined_grants(view: View, first: Statement) -> tuple[Select[str], Expression, Expression]:
    """Join the first grants of each team, and return the columns of the order, too. SQLite has no LATERAL."""
    if not view.is_sqlite:
        own = first.lateral("own")
        return select(own.c.job_id).join_from(TeamMember, own, true()), own.c.job_created_at, own.c.job_id
    grants = select(JobTeam.job_id).join(TeamMember, TeamMember.team_id == JobTeam.team_id)
    is_first = JobTeam.job_id.in_(first.with_only_columns(Own.job_id))
    return grants.where(is_first), JobTeam.job_created_at, JobTeam.job_id


def _first_of_team(all_rows: SortedRows) -> Statement:
    by = (Own.job_created_at, Own.job_id)
    rows: Statement = select(*by).where(Own.team_id == TeamMember.team_id, *all_rows.after_cursor(*by))
    return rows.order_by(*all_rows.order_of(*by)).limit(END).correlate(TeamMember)


def count(view: View) -> Statement:
    """Count all jobs of the caller's teams."""
    jobs = through_teams(view.caller).group_by(JobTeam.job_id).subquery("jobs")
    organization_id = type_coerce(view.caller.organization_id, String(20)).label("parent_key")
    return select(organization_id, func.count().label("total")).select_from(jobs)
