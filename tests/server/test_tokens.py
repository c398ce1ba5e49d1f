"""Mainsheet's own bearer tokens: authentication and the token commands."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from mainsheet.models.access_token import AccessToken, digest
from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput
from mainsheet.models.member import Member
from mainsheet.models.roles import AccessScope, OrganizationRole
from mainsheet.server.auth import tokens
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.last_use import LastUse
from testbed.clock import Clock
from testbed.statements import statements_of
from testbed.world import make_member, make_organization, make_service_account, token
from tests.server.commands import invoke

HOUR = timedelta(hours=1)


@pytest.fixture
async def ada(database: Database) -> Member:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = await make_organization(session)
        return await make_member(session, organization, organization_role=OrganizationRole.AUDITOR)


@pytest.fixture
async def authenticator(database: Database) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(database, LastUse(database))
    yield authenticator
    await authenticator.close()


async def row(database: Database, secret: str) -> AccessToken:
    async with AsyncSession(database.reads) as session:
        return (await session.scalars(select(AccessToken).where(AccessToken.digest == digest(secret)))).one()


async def change(database: Database, secret: str, **values: datetime | None) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(update(AccessToken).where(AccessToken.digest == digest(secret)).values(**values))


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {} "])
async def test_a_token_authenticates_its_member(
    database: Database, authenticator: Authenticator, ada: Member, header: str
) -> None:
    secret = await tokens.create(database, ada.email, HOUR, "laptop")

    caller = await authenticator.caller(header.format(secret))

    assert caller is not None
    assert (caller.actor_id, caller.organization_id) == (ada.id, ada.organization_id)
    assert caller.organization_role is OrganizationRole.AUDITOR


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "{}", "Basic {}", "Token {}", "Bearer {}x", "Bearer  x {}", "Bearer mst_"],
)
async def test_an_invalid_header_authenticates_nobody(
    database: Database, authenticator: Authenticator, ada: Member, header: str | None
) -> None:
    secret = await tokens.create(database, ada.email, None, None)

    assert await authenticator.caller(header and header.format(secret)) is None


@given(st.text())
@settings(max_examples=30)
async def test_any_text_after_bearer_is_handled(authenticator: Authenticator, text: str) -> None:
    assert await authenticator.caller(f"Bearer {text}") is None
    assert await authenticator.caller(f"Bearer mst_{text}") is None
    assert await authenticator.caller(f"Bearer mst_\udcff{text}") is None


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
async def test_an_ended_token_authenticates_nobody(
    database: Database, authenticator: Authenticator, ada: Member, column: str
) -> None:
    secret = await tokens.create(database, ada.email, HOUR, None)

    await change(database, secret, **{column: datetime.now(UTC) - timedelta(seconds=1)})

    with capture_logs() as logged:
        assert await authenticator.caller(f"Bearer {secret}") is None
    assert [each["token"] for each in logged] == [(await row(database, secret)).id]


async def test_only_a_hash_of_the_secret_is_stored(database: Database, ada: Member) -> None:
    secret = await tokens.create(database, ada.email, HOUR, "laptop")

    kept = await row(database, secret)

    assert secret not in map(str, vars(kept).values())
    assert kept.expires_at == kept.created_at + HOUR


async def test_a_token_for_an_unknown_member_is_refused(database: Database) -> None:
    with pytest.raises(BadInput, match=r"no member eve@harbor\.example"):
        await tokens.create(database, "eve@harbor.example", None, None)


async def test_emails_ignore_case(database: Database, ada: Member) -> None:
    secret = await tokens.create(database, ada.email.upper(), None, None)

    assert (await row(database, secret)).actor_id == ada.id


async def test_look_alike_letters_dont_match_an_email(database: Database) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await make_member(session, await make_organization(session), email="k@example.com")

    with pytest.raises(BadInput, match="There is no member"):
        await tokens.create(database, "\N{KELVIN SIGN}@example.com", HOUR, None)


async def test_a_token_can_be_revoked_once(database: Database, authenticator: Authenticator, ada: Member) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    token = await row(database, secret)

    assert await tokens.revoke(database, token.id)
    assert not await tokens.revoke(database, token.id)

    assert await authenticator.caller(f"Bearer {secret}") is None


async def test_an_unknown_token_can_not_be_revoked(database: Database) -> None:
    with pytest.raises(BadInput, match="no token AT0"):
        await tokens.revoke(database, "AT0")


async def test_a_token_of_a_service_account(database: Database, authenticator: Authenticator) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        first, second = [await make_organization(session) for _ in range(2)]
        worker = await make_service_account(session, first, name="worker")
        await make_service_account(session, second, name="worker")
        await make_service_account(session, first, name="old", status=ActorStatus.DISABLED)

    with pytest.raises(BadInput, match="worker is a service account of several organizations"):
        await tokens.create_for_account(database, "worker", None, None)
    with pytest.raises(BadInput, match="The service account old is disabled"):
        await tokens.create_for_account(database, "old", None, None)
    secret = await tokens.create_for_account(
        database, "worker", None, None, organization=first.id, scopes=[AccessScope.RUNS]
    )

    caller = await authenticator.caller(f"Bearer {secret}", "127.0.0.1")
    assert caller is not None
    assert (caller.actor_id, caller.scopes) == (worker.id, frozenset({AccessScope.RUNS}))


async def test_tokens_are_listed_by_member(database: Database, ada: Member) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        bob = await make_member(session, await make_organization(session))
    for email in (ada.email, bob.email, ada.email):
        await tokens.create(database, email, None, None)

    everyone = await tokens.listing(database, None)
    adas = await tokens.listing(database, ada.email)

    assert [member.email for _, member, _ in everyone] == [ada.email, bob.email, ada.email]
    assert [member.email for _, member, _ in adas] == [ada.email, ada.email]


async def test_a_demo_start_revokes_earlier_demo_tokens(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    own = await tokens.create(database, ada.email, None, "laptop")
    first = (await tokens.renew_demo(database, [ada.email]))[ada.email]

    second = (await tokens.renew_demo(database, [ada.email]))[ada.email]

    answers = [await authenticator.caller(f"Bearer {secret}") for secret in (own, first, second)]
    assert [answer is not None for answer in answers] == [True, False, True]


async def test_only_demo_tokens_are_revoked_without_the_demo(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        bob = await make_member(session, await make_organization(session))
    ours = (await tokens.renew_demo(database, [ada.email]))[ada.email]
    theirs = await tokens.create(database, bob.email, None, tokens.DEMO_NAME)
    own = await tokens.create(database, ada.email, None, "laptop")

    await tokens.end_demo(database, [ada.email, "nobody@harbor.example"])

    answers = [await authenticator.caller(f"Bearer {secret}") for secret in (ours, theirs, own)]
    assert [answer is not None for answer in answers] == [False, True, True]


async def test_owners_are_cached_for_the_configured_time(
    database: Database, ada: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mainsheet.server.auth.authentication.monotonic", clock)
    authenticator = Authenticator(database, LastUse(database), remembered_seconds=1)
    secret = await tokens.create(database, ada.email, None, None)
    header = f"Bearer {secret}"
    assert await authenticator.caller(header) is not None
    await authenticator.close()
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(AccessToken).values(revoked_at=datetime.now(UTC)))

    clock.now += 0.9
    within = await authenticator.caller(header)
    clock.now += 0.2
    after = await authenticator.caller(header)

    assert within is not None
    assert after is None


async def test_a_refused_token_is_looked_up_as_seldom_as_another(database: Database, ada: Member) -> None:
    authenticator = Authenticator(database, LastUse(database), remembered_seconds=60)
    secret = await tokens.create(database, ada.email, None, None)
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(update(AccessToken).values(revoked_at=datetime.now(UTC)))
    sent = statements_of(database)

    found = [await authenticator.caller(f"Bearer {secret}") for _ in range(3)]

    assert found == [None] * 3
    assert len(sent) == 1


async def test_an_expired_token_is_refused_despite_the_cache(database: Database, ada: Member) -> None:
    authenticator = Authenticator(database, LastUse(database), remembered_seconds=60)
    secret = await tokens.create(database, ada.email, timedelta(milliseconds=300), None)
    first = await authenticator.caller(f"Bearer {secret}")
    async with asyncio.timeout(20):
        while await authenticator.caller(f"Bearer {secret}"):  # noqa: ASYNC110 only time ends it
            await asyncio.sleep(0.01)

    assert first is not None
    await authenticator.close()


async def test_a_disabled_actor_is_refused_by_every_process_at_once(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    other = Authenticator(database, LastUse(database))
    assert await authenticator.caller(f"Bearer {secret}")
    assert await other.caller(f"Bearer {secret}")

    async with database.writes.begin() as connection:
        await connection.execute(update(Actor).where(Actor.id == ada.id).values(status=ActorStatus.DISABLED))

    assert await authenticator.caller(f"Bearer {secret}") is None
    assert await other.caller(f"Bearer {secret}") is None
    with pytest.raises(BadInput, match="disabled"):
        await tokens.create(database, ada.email, None, None)
    await other.close()


async def test_a_token_authenticates_a_service_account(database: Database, authenticator: Authenticator) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        account = await make_service_account(session, await make_organization(session))

    caller = await authenticator.caller(f"Bearer {await token(database, account)}")

    assert caller is not None
    assert (caller.actor_id, caller.organization_id) == (account.id, account.organization_id)


async def test_an_email_of_two_organizations_needs_the_organization(database: Database, ada: Member) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        namesake = await make_member(session, await make_organization(session), email=ada.email)

    with pytest.raises(BadInput, match=f"{ada.organization_id}.*{namesake.organization_id}"):
        await tokens.create(database, ada.email, None, None)
    with pytest.raises(BadInput, match="in the organization OR0"):
        await tokens.create(database, ada.email, None, None, organization="OR0")
    secret = await tokens.create(database, ada.email, None, None, organization=namesake.organization_id)

    assert (await row(database, secret)).actor_id == namesake.id


@pytest.mark.parametrize(
    ("role", "scopes"),
    [("MEMBER", ["READ", "WRITE"]), ("AUDITOR", ["READ", "WRITE"]), ("ADMIN", ["ADMIN", "READ", "RUNS", "WRITE"])],
)
async def test_default_scopes_follow_the_role(database: Database, role: str, scopes: list[str]) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        organization = await make_organization(session)
        member = await make_member(session, organization, organization_role=OrganizationRole(role))

    assert (await row(database, await tokens.create(database, member.email, None, None))).scopes == scopes
    narrow = await tokens.create(database, member.email, None, None, scopes=[AccessScope.READ])
    assert (await row(database, narrow)).scopes == ["READ"]


async def test_tokens_are_listed_as_json(database: Database, ada: Member, database_url: str) -> None:
    await tokens.create(database, ada.email, None, None)

    done = await asyncio.to_thread(invoke, "token", "list", "--json", MAINSHEET_DATABASE_URL=database_url)
    (row,) = json.loads(done.stdout)

    assert row.keys() == {"id", "actor", "name", "created", "expires", "lastUsed", "state"}
    assert (row["actor"], row["name"], row["expires"], row["state"]) == (ada.email, None, None, "active")
    assert datetime.fromisoformat(row["created"]).utcoffset() == timedelta(0)
