from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import String, cast, func, literal, select
from sqlalchemy import update as update_of

from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import ActorStatus
from mainsheet.models.base import UtcDateTime
from mainsheet.models.errors import TeamNotFound
from mainsheet.models.event import ROLE_CHANGES, Event, EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member, stored_email
from mainsheet.models.provisioning_errors import LastAdministrator, MemberNotFound
from mainsheet.models.roles import AccessScope, OrganizationPermission, OrganizationRole, TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.commands.provisioning import check_unique
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import MemberAnswer, Write, command

ADMINISTRATES = {"organization_role": OrganizationRole.ADMIN, "status": ActorStatus.ACTIVE}


@command("createMember", AccessScope.ADMIN)
async def create(
    write: Write, *, teams: Sequence[Mapping[str, Any]] = (), message: str | None = None, **values: Any
) -> MemberAnswer:
    await write.organization(OrganizationPermission.MANAGE_MEMBERS)
    values |= {"email": stored_email(values["email"])}
    await check_unique(write, Member, values)
    organization_id = write.caller.organization_id
    member = Member(id=new_id(Member.PREFIX, write.at), organization_id=organization_id, revision=1)
    member.status = ActorStatus.ACTIVE
    joined = await _joined(write, teams)
    member.begin(EventAction.MEMBER_CREATED, values, write, message)
    write.session.add(member)
    for team, role in joined:
        own = {"organization_id": organization_id, "team_id": team.id, "actor_id": member.id}
        write.session.add(TeamMember(**own, role=role))
        team.set_member(EventAction.TEAM_ROLE_SET, member.id, None, role, write)
    return {"member_id": member.id}


@command("updateMember", AccessScope.ADMIN)
async def update(
    write: Write, *, member_id: str, expected_revision: int | None = None, message: str | None = None, **values: Any
) -> MemberAnswer:
    member = await _member(write, member_id)
    member.refuse_if_erased(write)
    if values.get("email") is not None:
        values["email"] = stored_email(values["email"])
    await check_unique(write, Member, values, member_id)
    await _check_administrators(write, member, values)
    member.change(EventAction.MEMBER_UPDATED, values, write, expected_revision=expected_revision, message=message)
    return {"member_id": member_id}


@command("disableMember", AccessScope.ADMIN)
async def disable(
    write: Write, *, member_id: str, expected_revision: int | None = None, message: str | None = None
) -> MemberAnswer:
    member, values = await _member(write, member_id), {"status": ActorStatus.DISABLED}
    await _check_administrators(write, member, values)
    member.change(EventAction.MEMBER_DISABLED, values, write, expected_revision=expected_revision, message=message)
    return {"member_id": member_id}


@command("enableMember", AccessScope.ADMIN)
async def enable(
    write: Write, *, member_id: str, expected_revision: int | None = None, message: str | None = None
) -> MemberAnswer:
    member, values = await _member(write, member_id), {"status": ActorStatus.ACTIVE}
    member.refuse_if_erased(write)
    member.change(EventAction.MEMBER_ENABLED, values, write, expected_revision=expected_revision, message=message)
    return {"member_id": member_id}


@command("eraseMember", AccessScope.ADMIN)
async def erase(
    write: Write, *, member_id: str, expected_revision: int | None = None, message: str | None = None
) -> MemberAnswer:
    """Replace the name and email, disable the member, and end their tokens and roles. Erasing again changes nothing."""
    member = await _member(write, member_id)
    member.expect(write, expected_revision)
    write.explain(message)
    await _check_administrators(write, member, {"status": ActorStatus.DISABLED})
    write.refuse()
    if member.is_erased:
        return {"member_id": member_id}
    member.erase(write)
    await _forget(write, member)
    for each in await write.session.scalars(select(TeamMember).where(TeamMember.actor_id == member_id)):
        await write.session.delete(each)
    return {"member_id": member_id}


async def _forget(write: Write, member: Member) -> None:
    """Revoke the tokens. Remove from tokens and events what may name the person; they themselves are kept."""
    tokens = AccessToken.actor_id == member.id
    about_tokens = Event.only_for_id == member.id  # those of tokens that are deleted, too
    revoked_at = func.coalesce(AccessToken.revoked_at, literal(write.at, UtcDateTime()))
    nameless: dict[str, Any] = {"message": None, "changes": []}
    teams = select(Team.id).where(Team.organization_id == member.organization_id)
    about_roles = Event.subject_id.in_(teams) & Event.action.in_(ROLE_CHANGES) & Event.message.is_not(None)
    for statement in (
        update_of(Event).where(Event.subject_id == member.id).values(subject_label=member.name, **nameless),
        update_of(Event).where(about_tokens).values(subject_label=Event.subject_id, **nameless),
        update_of(Event).where(about_roles, cast(Event.changes, String).contains(member.id)).values(message=None),
        update_of(AccessToken).where(tokens).values(name=None, revoked_at=revoked_at),
    ):
        await write.session.execute(statement, execution_options={"synchronize_session": False})


async def _member(write: Write, member_id: str) -> Member:
    """Return the member. The organization is locked, so that the last administrators can't disable each other."""
    await write.organization(OrganizationPermission.MANAGE_MEMBERS)
    return await write.own(Member, member_id, MemberNotFound(missing_id=member_id))


async def _joined(write: Write, teams: Sequence[Mapping[str, Any]]) -> list[tuple[Team, TeamRole]]:
    """Return the teams with the roles in them. Adds a problem for each team that doesn't exist."""
    own = Team.organization_id == write.caller.organization_id
    found = select(Team).where(own, among(Team.id, [each["team_id"] for each in teams]))
    known = {team.id: team for team in await write.session.scalars(found)} if teams else {}
    for index, each in enumerate(teams):
        if each["team_id"] not in known:
            path = ("teams", str(index), "team_id")
            write.problems.append(TeamNotFound(path=path, missing_id=each["team_id"]))
    roles = {each["team_id"]: each["role"] for each in teams}
    return [(known[team_id], role) for team_id, role in roles.items() if team_id in known]


async def _check_administrators(write: Write, member: Member, values: Mapping[str, Any]) -> None:
    """Add a problem if the values would leave the organization without an active administrator."""
    if await is_last_administrator(write, member, values):
        write.problems.append(LastAdministrator(path=("member_id",), name=member.name))


async def is_last_administrator(write: Write, member: Member, values: Mapping[str, Any]) -> bool:
    """Return whether the values would leave the organization, which is locked, without an active administrator."""
    now = {name: getattr(member, name) for name in ADMINISTRATES}
    if now != ADMINISTRATES or {**now, **{name: values[name] for name in now.keys() & values.keys()}} == now:
        return False
    others = select(func.count()).where(
        Member.organization_id == member.organization_id,
        Member.organization_role == OrganizationRole.ADMIN,
        Member.status == ActorStatus.ACTIVE,
        Member.id != member.id,
    )
    return not await write.session.scalar(others)
