"""What JWTs change: new members, roles by groups, and programs as service accounts. The issuers' keys are real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.database import Database
from mainsheet.models.event import Event
from mainsheet.models.member import Member, erased_email
from mainsheet.models.organization import Organization
from mainsheet.models.roles import AccessScope, OrganizationRole, TeamRole
from mainsheet.models.team import Team, TeamMember
from mainsheet.resolvers.caller import Caller
from mainsheet.server.auth import sign_in
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.sign_in import REFUSED_SECONDS, SignIn
from mainsheet.server.settings import Settings
from testbed.clock import Clock
from testbed.world import make_member, make_membership, make_organization, make_service_account, make_team
from tests.locks import until_waiting
from tests.server.issuing import AUDIENCE, EMAIL, ISSUER, KeyServer, signed

Roles = dict[str, str]


@dataclass
class Acme:
    """An organization with an administrator and two teams, and the issuers' file."""

    database: Database
    organization: Organization
    etl: Team
    ml: Team
    file: Path
    keys_url: str

    def entry(self, **settings: Any) -> dict[str, Any]:
        own = {"issuer": ISSUER, "audience": AUDIENCE, "organization": self.organization.id, "jwks_url": self.keys_url}
        return own | settings

    @asynccontextmanager
    async def process(self, *entries: dict[str, Any]) -> AsyncIterator[Authenticator]:
        """A process of the server, by its authenticator."""
        self.file.write_text(yaml.safe_dump({"issuers": list(entries)}))
        authenticator = Authenticator.configured(self.database, Settings(oidc_file=self.file))
        yield authenticator
        await authenticator.close()

    async def member(self, email: str = EMAIL) -> Member | None:
        async with AsyncSession(self.database.reads) as session:
            return await session.scalar(select(Member).where(Member.email == email))

    async def roles(self, email: str = EMAIL) -> Roles:
        """The member's roles in the organization and in the teams."""
        own = select(Member.id).where(Member.email == email).scalar_subquery()
        teams = select(Team.name, TeamMember.role).join(TeamMember, TeamMember.team_id == Team.id)
        member = await self.member(email)
        assert member is not None
        async with self.database.reads.connect() as connection:
            rows = await connection.execute(teams.where(TeamMember.actor_id == own))
            return {"organization": member.organization_role.value} | {row.name: row.role.value for row in rows}

    async def events(self) -> list[Event]:
        async with AsyncSession(self.database.reads) as session:
            return list(await session.scalars(select(Event).order_by(Event.id)))

    async def add(self, name: str = "ada", **values: Any) -> Member:
        async with AsyncSession(self.database.writes, expire_on_commit=False) as session, session.begin():
            return await make_member(session, self.organization, name=name, email=f"{name}@harbor.example", **values)


@pytest.fixture
async def acme(database: Database, tmp_path: Path, key_server: KeyServer) -> Acme:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = await make_organization(session)
        await make_member(session, organization, name="root", organization_role=OrganizationRole.ADMIN)
        etl, ml = [await make_team(session, organization, name=name) for name in ("etl", "ml")]
    return Acme(database, organization, etl, ml, tmp_path / "oidc.yaml", key_server.url)


async def call(authenticator: Authenticator, **claims: Any) -> Caller | None:
    return await authenticator.caller(f"Bearer {signed(**claims)}")


async def test_a_new_subject_of_an_allowed_domain_becomes_a_member(acme: Acme) -> None:
    async with acme.process(acme.entry(create_members={"domains": ["Harbor.example"]})) as server:
        caller = await call(server, name="Ada Lovelace")
        again = await call(server, name="Another Name")

    member = await acme.member()
    assert member is not None
    assert (member.name, member.managed_by, member.status) == ("Ada Lovelace", ISSUER, ActorStatus.ACTIVE)
    assert caller is not None
    assert again is not None
    assert (caller.actor_id, caller.organization_role) == (member.id, OrganizationRole.MEMBER)
    assert again.actor_id == member.id
    assert caller.scopes == {AccessScope.READ, AccessScope.WRITE}
    [created] = await acme.events()
    assert (created.action, created.actor_id, created.subject_id) == ("MEMBER_CREATED", member.id, member.id)
    assert created.message == f"Signed in by {ISSUER}"


@pytest.mark.parametrize("name", [..., "", "a\0b", 7, "x" * 256, ["Ada"]], ids=repr)
async def test_a_new_member_without_a_usable_name_is_named_by_the_address(acme: Acme, name: Any) -> None:
    async with acme.process(acme.entry(create_members={"domains": ["harbor.example"]})) as server:
        assert await call(server, name=name) is not None

    member = await acme.member()
    assert member is not None
    assert member.name == EMAIL


CONDITIONS = {"domains": ["harbor.example"], "claims": {"groups": ["data", "ops"], "kind": ["staff"]}}


@pytest.mark.parametrize(
    ("claims", "may"),
    [
        ({"groups": ["ops", "x"], "kind": "staff"}, True),
        ({"groups": ["x"], "kind": "staff"}, False),
        ({"groups": ["ops"]}, False),
        ({"groups": ["ops"], "kind": {"staff": 1}}, False),
        ({"groups": ["ops"], "kind": "staff", "email": "ada@sub.harbor.example"}, False),
        ({"groups": ["ops"], "kind": "staff", "email": "ada@xharbor.example"}, False),
        ({"groups": ["ops"], "kind": "staff", "email": "harbor.example"}, False),
        ({"groups": ["ops"], "kind": "staff", "email": "ada @harbor.example"}, False),
        ({"groups": ["ops"], "kind": "staff", "email_verified": False}, False),
    ],
    ids=str,
)
async def test_a_subject_becomes_a_member_if_all_conditions_hold(acme: Acme, claims: Any, may: bool) -> None:
    async with acme.process(acme.entry(create_members=CONDITIONS)) as server:
        assert (await call(server, **claims) is not None) is may
    async with acme.process(acme.entry()) as server:
        assert (await call(server, **claims) is not None) is may  # who isn't a member yet doesn't become one


async def test_many_first_requests_create_one_member(acme: Acme) -> None:
    entry = acme.entry(create_members={"domains": ["harbor.example"]})
    async with acme.process(entry) as one, acme.process(entry) as other:
        callers = await asyncio.gather(*(call(server) for server in (one, other) for _ in range(10)))

    assert None not in callers
    assert len({caller.actor_id for caller in callers if caller}) == 1
    assert len(await acme.events()) == 1


def mapped(acme: Acme) -> dict[str, Any]:
    """Groups that decide the role in the organization and in the team etl, but not in ml."""
    return acme.entry(
        groups={
            "admins": {"organization_role": "ADMIN", "teams": {acme.etl.id: "ADMIN"}},
            "auditors": {"organization_role": "AUDITOR"},
            "engineers": {"teams": {acme.etl.id: "CONTRIBUTOR"}},
        }
    )


def issued(seconds: int) -> dict[str, timedelta]:
    return {"iat": timedelta(seconds=seconds)}


async def test_the_greatest_role_of_the_groups_is_set(acme: Acme) -> None:
    ada = await acme.add()
    async with AsyncSession(acme.database.writes) as session, session.begin():
        await make_membership(session, acme.ml, ada, TeamRole.VIEWER)
    async with acme.process(mapped(acme)) as server:
        caller = await call(server, groups=["engineers", "admins", "auditors", "unknown"], **issued(-9))
        assert caller is not None
        assert caller.organization_role is OrganizationRole.ADMIN
        assert await acme.roles() == {"organization": "ADMIN", "etl": "ADMIN", "ml": "VIEWER"}

        caller = await call(server, groups="engineers", **issued(-8))
        assert caller is not None
        assert caller.organization_role is OrganizationRole.MEMBER
        assert await acme.roles() == {"organization": "MEMBER", "etl": "CONTRIBUTOR", "ml": "VIEWER"}

        await call(server, groups=..., **issued(-7))
        assert await acme.roles() == {"organization": "MEMBER", "ml": "VIEWER"}
    assert {(each.actor_id, each.message) for each in await acme.events()} == {(ada.id, f"Signed in by {ISSUER}")}


async def test_the_youngest_token_decides_in_every_process(acme: Acme) -> None:
    await acme.add()
    async with acme.process(mapped(acme)) as one, acme.process(mapped(acme)) as other:
        await call(one, groups=["admins"], **issued(-30))
        await call(other, groups=[], **issued(-20))
        await call(one, groups=["admins"], **issued(-30))  # the old token, in a process that remembers its groups
        assert await acme.roles() == {"organization": "MEMBER"}

        await call(other, groups=["engineers"], **issued(-25))
        assert await acme.roles() == {"organization": "MEMBER"}

        await call(one, groups=["admins"], **issued(-10))
        assert await acme.roles() == {"organization": "ADMIN", "etl": "ADMIN"}
        events = len(await acme.events())
        for server in (one, other):
            await call(server, groups=["admins"], **issued(-5))
        assert len(await acme.events()) == events


async def test_an_old_token_counts_no_more_after_one_with_the_same_roles(acme: Acme) -> None:
    await acme.add()
    async with acme.process(mapped(acme)) as server:
        await call(server, groups=[], **issued(-30))
        await call(server, groups=["of no meaning here"], **issued(-10))
        await call(server, groups=["admins"], **issued(-20))

    assert await acme.roles() == {"organization": "MEMBER"}
    assert await acme.events() == []


async def test_a_role_that_is_set_by_hand_stays_until_the_groups_change(acme: Acme) -> None:
    ada = await acme.add()
    async with acme.process(mapped(acme)) as server:
        await call(server, groups=["engineers"], **issued(-30))
        async with acme.database.writes.begin() as connection:
            own = (TeamMember.actor_id == ada.id) & (TeamMember.team_id == acme.etl.id)
            await connection.execute(update(TeamMember).where(own).values(role=TeamRole.ADMIN))
        await call(server, groups=["engineers"], **issued(-20))
        assert await acme.roles() == {"organization": "MEMBER", "etl": "ADMIN"}

        await call(server, groups=["engineers", "auditors"], **issued(-10))
        assert await acme.roles() == {"organization": "AUDITOR", "etl": "CONTRIBUTOR"}


async def test_groups_that_the_token_only_refers_to_change_nothing(acme: Acme) -> None:
    await acme.add(organization_role=OrganizationRole.AUDITOR)
    async with acme.process(mapped(acme)) as server:
        assert await call(server, _claim_names={"groups": "src1"}) is not None

    assert await acme.roles() == {"organization": "AUDITOR"}


async def test_groups_need_the_time_of_issue(acme: Acme) -> None:
    await acme.add()
    async with acme.process(mapped(acme)) as server:
        assert await call(server, groups=["admins"], iat=...) is None


async def test_a_team_that_was_deleted_is_passed_over(acme: Acme) -> None:
    await acme.add()
    async with acme.database.writes.begin() as connection:
        await connection.execute(delete(Team).where(Team.id == acme.etl.id))
    with capture_logs() as log:
        async with acme.process(mapped(acme)) as server:
            assert await call(server, groups=["admins"]) is not None

    assert await acme.roles() == {"organization": "ADMIN"}
    assert [each["teams"] for each in log if each["event"] == "groups give roles in teams that don't exist"] == [
        [acme.etl.id]
    ]


async def test_the_last_administrator_keeps_the_role(acme: Acme) -> None:
    await acme.add(organization_role=OrganizationRole.ADMIN)
    async with acme.database.writes.begin() as connection:
        await connection.execute(delete(Actor).where(Actor.name == "root"))
    with capture_logs() as log:
        async with acme.process(mapped(acme)) as server:
            assert await call(server, groups=["engineers"]) is not None

    assert await acme.roles() == {"organization": "ADMIN", "etl": "CONTRIBUTOR"}
    assert "the last administrator keeps the role, against the groups" in [each["event"] for each in log]


async def test_the_last_administrator_loses_the_role_once_there_is_another(acme: Acme) -> None:
    await acme.add(organization_role=OrganizationRole.ADMIN)
    async with acme.process(mapped(acme)) as server:
        await _set_role_of_root(acme, OrganizationRole.MEMBER)
        await call(server, groups=["engineers"], **issued(-30))
        await _set_role_of_root(acme, OrganizationRole.ADMIN)
        await call(server, groups=["engineers"], **issued(-20))

    assert await acme.roles() == {"organization": "MEMBER", "etl": "CONTRIBUTOR"}


async def _set_role_of_root(acme: Acme, role: OrganizationRole) -> None:
    async with acme.database.writes.begin() as connection:
        await connection.execute(update(Member).where(Member.name == "root").values(organization_role=role))


async def test_a_disabled_member_stays_disabled(acme: Acme) -> None:
    await acme.add(status=ActorStatus.DISABLED)
    async with acme.process(mapped(acme) | {"create_members": {"domains": ["harbor.example"]}}) as server:
        assert await call(server, groups=["admins"]) is None

    assert await acme.roles() == {"organization": "MEMBER"}


async def test_a_member_who_is_erased_meanwhile_isnt_created_again(acme: Acme) -> None:
    member = await acme.add()
    async with acme.process(mapped(acme)) as server:
        subject = await server.issuers.subject(signed(groups=["admins"]))
        async with acme.database.writes.begin() as connection:
            erased = {"email": erased_email(member.id), "status": ActorStatus.DISABLED}
            await connection.execute(update(Member).where(Member.id == member.id).values(**erased))

        await server.sign_in.apply(subject, is_new=False)

    assert await acme.member() is None
    assert await acme.events() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_member_who_is_erased_during_the_sign_in_is_refused(acme: Acme) -> None:
    member = await acme.add()
    async with acme.process(mapped(acme)) as server, acme.database.writes.connect() as other:
        erasing = await other.begin()
        await other.execute(select(Organization.id).with_for_update(key_share=True))
        signing_in = asyncio.create_task(call(server, groups=["admins"]))
        await until_waiting(acme.database, signing_in)
        erased = {"email": erased_email(member.id), "status": ActorStatus.DISABLED}
        await other.execute(update(Member).where(Member.id == member.id).values(**erased))
        await erasing.commit()

        assert await signing_in is None

    assert await acme.member() is None


async def test_an_organization_that_doesnt_exist_has_no_members(acme: Acme) -> None:
    entry = acme.entry(organization="OR0", create_members={"domains": ["harbor.example"]})
    with capture_logs() as log:
        async with acme.process(entry) as server:
            assert await call(server) is None

    assert [each["reason"] for each in log if each["event"] == "sign-in refused"] == ["There is no organization OR0."]


async def test_a_subject_who_is_refused_is_tried_again_after_a_minute(acme: Acme, clock: Clock) -> None:
    entry = acme.entry(create_members={"domains": ["harbor.example"]})
    async with acme.process(entry) as server:
        server.sign_in = SignIn(acme.database, clock)
        with capture_logs() as log:
            for seconds in (0, 1, REFUSED_SECONDS):
                clock.now += seconds
                assert await call(server, email="ada @harbor.example") is None

        assert await call(server) is not None

    assert [each["event"] for each in log].count("sign-in refused") == 2


async def test_a_subject_who_is_refused_is_tried_once_by_requests_at_the_same_time(acme: Acme) -> None:
    entry = acme.entry(create_members={"domains": ["harbor.example"]})
    async with acme.process(entry) as server:
        with capture_logs() as log:
            callers = await asyncio.gather(*(call(server, email="ada @harbor.example") for _ in range(10)))

    assert callers == [None] * 10
    assert [each["event"] for each in log].count("sign-in refused") == 1


async def test_few_subjects_who_are_refused_are_remembered(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "MOST_REFUSED", 1)
    entry = acme.entry(create_members={"domains": ["harbor.example"]})
    async with acme.process(entry) as server:
        with capture_logs() as log:
            for name in ("ada", "bob", "bob", "ada"):
                assert await call(server, email=f"{name} @harbor.example") is None

    assert [each["event"] for each in log].count("sign-in refused") == 3


async def test_the_subject_of_a_token_may_be_a_service_account(acme: Acme) -> None:
    async with AsyncSession(acme.database.writes, expire_on_commit=False) as session, session.begin():
        account = await make_service_account(session, acme.organization)
        disabled = await make_service_account(session, acme.organization, status=ActorStatus.DISABLED)
        foreign = await make_service_account(session, await make_organization(session))
    await acme.add()
    accounts = {"plane": account.id, "old": disabled.id, "foreign": foreign.id, "gone": "SA0"}
    async with acme.process(acme.entry(scopes=["RUNS"], service_accounts=accounts)) as server:
        for email in (..., EMAIL):
            caller = await call(server, email=email, sub="plane")
            assert caller is not None
            assert (caller.actor_id, caller.scopes) == (account.id, frozenset({AccessScope.RUNS}))
        for subject in ("old", "foreign", "gone", "unknown", 7, ["plane"], None, ...):
            assert await call(server, email=..., sub=subject, client_id="plane", azp="plane") is None


async def test_a_person_who_uses_a_program_is_not_the_program(acme: Acme) -> None:
    async with AsyncSession(acme.database.writes, expire_on_commit=False) as session, session.begin():
        account = await make_service_account(session, acme.organization)
    async with acme.process(acme.entry(service_accounts={"plane": account.id})) as server:
        assert await call(server, email=..., sub="ada", client_id="plane", azp="plane") is None


async def test_each_issuer_authenticates_members_of_its_organization(acme: Acme) -> None:
    async with AsyncSession(acme.database.writes, expire_on_commit=False) as session, session.begin():
        other = await make_organization(session)
        eve = await make_member(session, other, name="eve", email=EMAIL)
    ada = await acme.add()
    lagoon = acme.entry(issuer="https://id.lagoon.example", organization=other.id)
    staging = acme.entry(audience="staging", organization=other.id)
    async with acme.process(acme.entry(), lagoon, staging) as server:
        ids = [
            caller and caller.actor_id
            for caller in (
                await call(server),
                await call(server, iss="https://id.lagoon.example"),
                await call(server, aud=["x", "staging"]),
                await call(server, aud="x"),
                await call(server, iss="https://id.unknown.example"),
            )
        ]

    assert ids == [ada.id, eve.id, eve.id, None, None]
