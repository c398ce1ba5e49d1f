"""What the commands for actors, teams, clusters and saved queries share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select

from mainsheet.models import limits
from mainsheet.models.actor import Actor
from mainsheet.models.cluster import Cluster
from mainsheet.models.errors import Forbidden, UserError
from mainsheet.models.job import Job
from mainsheet.models.member import Member
from mainsheet.models.provisioning_errors import (
    ActorNotFound,
    EmailTaken,
    ExternalIdTaken,
    InUse,
    NameTaken,
    ScopeMissing,
)
from mainsheet.models.roles import IN_TEAM, AccessScope, TeamPermission
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.service_account import ServiceAccount
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.permissions import least_role, may_in_team, visible
from mainsheet.resolvers.write import Write

# The values that only one row of the organization may have. Actors of both kinds share their external ids.
UNIQUE: Mapping[type[Any], Mapping[str, type[Any]]] = {
    Member: {"email": Member, "external_id": Actor},
    ServiceAccount: {"name": ServiceAccount, "external_id": Actor},
    Team: {"name": Team, "external_id": Team},
    Cluster: {"name": Cluster, "external_id": Cluster},
    SavedQuery: {"name": SavedQuery},
}


async def check_unique(write: Write, entity: type[Any], values: Mapping[str, Any], own_id: str | None = None) -> None:
    """Add a problem for each value that another row of the organization has."""
    for name, table in UNIQUE[entity].items():
        value = values.get(name)
        if isinstance(value, str) and limits.storable(value) and await _is_taken(write, table, name, value, own_id):
            write.problems.append(_taken(table.NOUN, name, value))


async def _is_taken(write: Write, table: type[Any], name: str, value: str, own_id: str | None) -> bool:
    same = (table.organization_id == write.caller.organization_id) & (getattr(table, name) == value)
    return await write.session.scalar(select(table.id).where(same, table.id != (own_id or "")).limit(1)) is not None


def _taken(noun: str, name: str, value: str) -> UserError:
    match name:
        case "email":
            return EmailTaken(email=value)
        case "external_id":
            return ExternalIdTaken(noun=noun, external_id=value)
    return NameTaken(noun=noun, name=value)


async def check_unused(write: Write, row: Any, error: type[InUse], is_used: ColumnElement[bool], advice: str) -> None:
    """Raise the error if jobs use a row to be deleted. It counts all of them, and shows some of the visible ones."""
    await write.plan_for_values()
    is_visible = visible(write.caller)
    counted = select(is_visible, func.count()).select_from(Job).where(is_used).group_by(is_visible)
    counts = {bool(row[0]): row[1] for row in await write.session.execute(counted)}
    if not counts:
        return
    shown = select(Job.id).where(is_used, is_visible).order_by(Job.job_key).limit(limits.SHOWN_DEPENDENTS)
    raise error(
        path=(f"{row.NOUN.replace(' ', '_')}_id",),
        noun=row.NOUN,
        advice=advice,
        user_ids=tuple(await write.session.scalars(shown)),
        visible_count=counts.get(True, 0),
        hidden_count=counts.get(False, 0),
    )


async def require_in_team(write: Write, team_id: str, permission: TeamPermission) -> None:
    """Raise `Forbidden` unless the caller has the permission in the team.

    Raise `ScopeMissing` if they have it as an administrator only, and their token lacks the scope for that.
    """
    own = (TeamMember.team_id == team_id) & (TeamMember.actor_id == write.caller.actor_id)
    role = await write.session.scalar(select(TeamMember.role).where(own))
    if role is not None and permission in IN_TEAM[role]:
        return
    if not may_in_team(write.caller, role, permission):
        raise Forbidden(path=("team_id",), team_id=team_id, missing_team_role=least_role(IN_TEAM, permission))
    require_scope(write, AccessScope.ADMIN)


def require_scope(write: Write, scope: AccessScope) -> None:
    """Raise `ScopeMissing` unless the caller's token has the scope."""
    if scope not in write.caller.scopes:
        raise ScopeMissing(missing_scope=scope, reason=f"Your token lacks the scope {scope}.")


async def actor(write: Write, actor_id: str) -> Actor:
    """Return an actor of the caller's organization. Raises `ActorNotFound`."""
    own = (Actor.id == actor_id) & (Actor.organization_id == write.caller.organization_id)
    found = await write.session.scalar(select(Actor).where(own)) if limits.storable(actor_id) else None
    if found is None:
        raise ActorNotFound(missing_id=actor_id)
    return found


async def locked_actor(write: Write, actor_id: str) -> Actor:
    """Return an actor of the caller's organization, locked, so that it isn't erased meanwhile.

    Raises `ActorNotFound`.
    """
    return await write.own(Actor, actor_id, ActorNotFound(missing_id=actor_id))
