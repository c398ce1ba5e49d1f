"""Makes an organization with its first administrator, who provisions everything else by the API."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.access_token import DEFAULT_SCOPES, AccessToken
from mainsheet.models.actor import ActorStatus
from mainsheet.models.clock import read_clock
from mainsheet.models.database import Database
from mainsheet.models.edit import Edit
from mainsheet.models.errors import BadInput
from mainsheet.models.event import EventAction
from mainsheet.models.ids import new_id
from mainsheet.models.input_values import normal
from mainsheet.models.member import Member, stored_email
from mainsheet.models.organization import Organization
from mainsheet.models.roles import OrganizationRole

LOCK = 0x6D73_696E_6974  # of `mainsheet init`: no constraint refuses a second organization of the same name
TOKEN_NAME = "mainsheet init"  # noqa: S105 a name


async def create(database: Database, name: str, email: str, lifetime: timedelta | None) -> tuple[Organization, str]:
    """Return the new organization and the secret of its administrator's token, which can't be shown again.

    Raises `BadInput` for invalid values, and if an organization of this name has the administrator already: the
    command was run before.
    """
    values = normal({"name": name, "email": stored_email(email)})
    for problem in limits.text_problems({"name": limits.NAME, "email": limits.EMAIL}, values, ()):
        raise BadInput(f"{problem.path[-1]}: {problem.message}")
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        if not database.is_sqlite:  # which has one writer
            await session.execute(select(func.pg_advisory_xact_lock(LOCK)))
        await _refuse_second(session, **values)
        now = await read_clock(session)
        organization = Organization(id=new_id(Organization.PREFIX, now), name=values["name"])
        session.add(organization)
        await session.flush()
        admin = await _administrator(session, organization, values["email"], Edit("", now))
        token, secret = AccessToken.issue(
            organization.id,
            admin.id,
            now,
            expires_at=None if lifetime is None else now + lifetime,
            name=TOKEN_NAME,
            scopes=DEFAULT_SCOPES[OrganizationRole.ADMIN],
        )
        session.add_all([token, token.event(EventAction.TOKEN_CREATED, now)])
        return organization, secret


async def _refuse_second(session: AsyncSession, name: str, email: str) -> None:
    own = Organization.id == Member.organization_id
    found = select(Organization.id).join(Member, own).where(Organization.name == name, Member.email == email)
    if (organization_id := await session.scalar(found.limit(1))) is not None:
        hint = f"`mainsheet token create --member {email} --organization {organization_id}` makes another token."
        raise BadInput(f"The organization {name} has the member {email} already. {hint}")


async def _administrator(session: AsyncSession, organization: Organization, email: str, edit: Edit) -> Member:
    admin = Member(id=new_id(Member.PREFIX, edit.at), organization_id=organization.id, revision=1)
    admin.status = ActorStatus.ACTIVE
    edit.actor_id = admin.id
    values = {"name": email, "email": email, "organization_role": OrganizationRole.ADMIN}
    admin.begin(EventAction.MEMBER_CREATED, values, edit, None)
    session.add(admin)
    await session.flush()
    session.add_all(edit.events)
    return admin
