"""Open connections end when their tokens are no longer valid, however long owners of tokens are cached."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Update, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.roles import OrganizationRole
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.live.validity import Validity
from testbed.world import World, caller, token
from tests.live.conftest import Start
from tests.server.issuing import CONFIGURED, KeyServer, signed

EVENTS = "subscription { events { id } }"
JWT = "Bearer a.b.c"
HOUR = timedelta(hours=1)
CHANGES = {
    "revoked": update(AccessToken).values(revoked_at=AccessToken.created_at),
    "expired": update(AccessToken).values(expires_at=AccessToken.created_at),
    "narrowed": update(AccessToken).values(scopes=["READ"]),
    "disabled": update(Actor).values(status=ActorStatus.DISABLED),
    "promoted": update(Actor).values(organization_role=OrganizationRole.AUDITOR),
}
OF_ACTORS = ("disabled", "promoted")


class Statements(Instrumentation):
    def __init__(self) -> None:
        self.count = 0

    def statement(self, sql: str, seconds: float) -> None:
        self.count += 1


@pytest.fixture
def validity(database: Database) -> Validity:
    return Validity(database, LastUse(database))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def changed(database: Database, statement: Update) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await session.execute(statement.execution_options(synchronize_session=False))


@pytest.mark.parametrize("change", ["revoked", "disabled"])
async def test_open_connections_end(start: Start, world: World, database: Database, change: str) -> None:
    live = await start(token_cache_seconds=60)
    async with live.socket(world.viewer) as socket, live.stream(world.viewer, EVENTS) as events:
        await socket.subscribe("1", EVENTS)
        await changed(database, CHANGES[change])

        assert await socket.code() == 4403
        assert [each async for each in events] == []


@pytest.mark.parametrize("change", CHANGES)
async def test_a_token_is_valid_until_it(
    validity: Validity, stack: ExitStack, world: World, database: Database, change: str
) -> None:
    authorization = f"Bearer {await token(database, world.viewer)}"
    ended = stack.enter_context(validity.watched(authorization, caller(world.viewer)))
    await validity.check()
    assert not ended.is_set()

    await changed(database, CHANGES[change])
    await validity.check()

    assert ended.is_set()


@pytest.mark.parametrize("change", OF_ACTORS)
async def test_a_jwt_is_valid_until_its_actor_is(
    validity: Validity, stack: ExitStack, world: World, database: Database, change: str
) -> None:
    by_jwt = replace(caller(world.viewer), token_expires_at=datetime.now(UTC) + HOUR)
    ended = stack.enter_context(validity.watched(JWT, by_jwt))
    await validity.check()
    assert not ended.is_set()

    await changed(database, CHANGES[change])
    await validity.check()

    assert ended.is_set()


async def test_a_jwt_is_valid_until_its_member_has_another_address(
    start: Start, world: World, database: Database, key_server: KeyServer
) -> None:
    own = {"oidc_organization": world.organization.id, "oidc_jwks_url": key_server.url}
    live = await start(**CONFIGURED | own)
    async with live.socket() as by_jwt, live.socket(world.viewer) as by_token:
        await by_jwt.begin(signed(email=world.viewer.email))

        await changed(database, update(Actor).where(Actor.id == world.viewer.id).values(email="eve@harbor.example"))

        assert await by_jwt.code() == 4403
        await by_token.send(type="ping")
        assert await by_token.receive() == {"type": "pong"}


async def test_a_jwt_is_valid_until_it_expires(validity: Validity, stack: ExitStack, world: World) -> None:
    by_jwt = replace(caller(world.viewer), token_expires_at=datetime.now(UTC) - HOUR)
    ended = stack.enter_context(validity.watched(JWT, by_jwt))

    await validity.check()

    assert ended.is_set()


async def test_one_statement_checks_all_connections(
    validity: Validity, stack: ExitStack, world: World, database: Database
) -> None:
    secrets = [await token(database, each) for each in (world.viewer, world.viewer, world.admin)]
    for actor, secret in zip((world.viewer, world.viewer, world.admin), secrets, strict=True):
        stack.enter_context(validity.watched(f"Bearer {secret}", caller(actor)))
    stack.enter_context(validity.watched(JWT, caller(world.auditor)))
    foreign = stack.enter_context(validity.watched(f"Bearer {secrets[0]}", caller(world.foreign.admin)))
    statements = Statements()
    database.instrumentation.add(statements)

    await validity.check()

    assert statements.count == 1
    assert foreign.is_set()


async def test_an_unreachable_database_ends_no_connection(stack: ExitStack, world: World, tmp_path: Any) -> None:
    away = Database.open(f"sqlite:///{tmp_path}/no/such.sqlite3")
    validity = Validity(away, LastUse(away))
    ended = stack.enter_context(validity.watched(JWT, caller(world.viewer)))

    await validity.check()
    await away.close()

    assert not ended.is_set()


async def test_any_other_error_ends_them(
    validity: Validity, stack: ExitStack, world: World, database: Database
) -> None:
    ended = stack.enter_context(validity.watched(JWT, caller(world.viewer)))
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE access_token RENAME TO away"))

    with pytest.raises(Exception, match="access_token"):
        await validity.check()

    assert ended.is_set()
