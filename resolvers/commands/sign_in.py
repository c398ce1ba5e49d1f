"""What a token of an OpenID Connect issuer changes: a new member, and the roles that its groups give."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256

import orjson
from sqlalchemy import select

from mainsheet.models.actor import ActorStatus
from mainsheet.models.errors import BadInput
from mainsheet.models.event import EventAction
from mainsheet.models.member import Member, stored_email
from mainsheet.models.organization import Organization
from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.commands import member as members
from mainsheet.resolvers.commands import team as teams
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import Command, MemberAnswer, Write


@dataclass(frozen=True)
class Roles:
    """The roles that groups give: None in the organization if they don't decide it, None in a team for no role."""

    organization: OrganizationRole | None
    teams: Mapping[str, TeamRole | None]

    @cached_property
    def digest(self) -> str:
        return sha256(orjson.dumps([self.organization, sorted(self.teams.items())])).hexdigest()


class SignInAnswer(MemberAnswer):
    unknown_team_ids: list[str]
    is_last_administrator: bool  # the member keeps this role, which the groups don't give


async def _sign_in(
    write: Write,
    *,
    email: str,
    name: str,
    issuer: str,
    may_create: bool,
    roles: Roles | None,
    issued_at: datetime,
    message: str,
) -> SignInAnswer:
    """Find the member with this address or create one, and set the roles unless a token issued later did.

    Without `may_create`, the member was there before the transaction, and may have been erased meanwhile.
    """
    if await write.lock(Organization, write.caller.organization_id) is None:
        raise BadInput(f"There is no organization {write.caller.organization_id}.")
    write.explain(message)
    own = (Member.organization_id == write.caller.organization_id, Member.email == stored_email(email))
    member = await write.session.scalar(select(Member).where(*own))
    if member is None and not may_create:
        raise BadInput("The member no longer has the address.")
    if member is None:
        member = await _created(write, email=email, name=name, managed_by=issuer)
    write.actor_id = member.id
    answer: SignInAnswer = {"member_id": member.id, "unknown_team_ids": [], "is_last_administrator": False}
    is_outdated = member.groups_as_of is not None and member.groups_as_of >= issued_at
    if roles is None or is_outdated or member.status is not ActorStatus.ACTIVE:
        return answer
    member.groups_as_of = issued_at
    if member.groups_digest == roles.digest:
        return answer
    answer["is_last_administrator"] = not await _organization_role_set(write, member, roles.organization)
    # Without a digest, the next token sets the role: there may be another administrator then.
    member.groups_digest = None if answer["is_last_administrator"] else roles.digest
    answer["unknown_team_ids"] = await _team_roles_set(write, member, roles.teams)
    return answer


async def _created(write: Write, **values: str) -> Member:
    """Create the member, who is the author of this."""
    created = await members.create.run(write, message=write.message, **values)
    await write.session.flush()
    member = await write.session.get_one(Member, created["member_id"])
    for event in write.events:
        event.actor_id = member.id
    return member


async def _organization_role_set(write: Write, member: Member, role: OrganizationRole | None) -> bool:
    """Set the role if there is one. Return False if that would leave the organization without an administrator."""
    values = {} if role is None else {"organization_role": role}
    if await members.is_last_administrator(write, member, values):
        return False
    member.change(EventAction.MEMBER_UPDATED, values, write, message=write.message)
    return True


async def _team_roles_set(write: Write, member: Member, roles: Mapping[str, TeamRole | None]) -> list[str]:
    """Set the roles. Return the teams that don't exist."""
    own, wanted = write.caller.organization_id, list(roles)
    found = select(Team.id).where(Team.organization_id == own, among(Team.id, wanted))
    known = set(await write.session.scalars(found)) if wanted else set()
    held = select(TeamMember.team_id, TeamMember.role).where(TeamMember.actor_id == member.id)
    before: dict[str, TeamRole] = {row.team_id: row.role for row in await write.session.execute(held)}
    for team_id in sorted(known):
        role = roles[team_id]
        if role is not None:
            await teams.set_role.run(write, team_id=team_id, actor_id=member.id, role=role, message=write.message)
        elif team_id in before:
            await teams.remove.run(write, team_id=team_id, actor_id=member.id, message=write.message)
    return sorted(roles.keys() - known)


SIGN_IN = Command("signIn", (), _sign_in)  # no mutation: callers of the API can't run it
