"""More objects than a quota allows are refused with QUOTA_EXCEEDED."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import limits
from mainsheet.models.access_token import AccessToken
from mainsheet.models.actor import Actor
from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.resolvers.commands.access_token import counts_of_valid
from testbed.ask import Ask
from testbed.world import World, make_service_account
from tests.api.test_dry_run import everything
from tests.api.test_provisioning import done, refused


async def add_tokens(database: Database, owner: Actor, count: int, **values: Any) -> None:
    at = datetime.now(UTC)
    own = {"organization_id": owner.organization_id, "actor_id": owner.id, "scopes": [], "created_at": at} | values
    rows = [{"id": (id_ := new_id("AT")), "digest": id_, **own} for _ in range(count)]
    async with database.writes.begin() as connection:
        await connection.execute(insert(AccessToken), rows)


async def test_an_actor_has_a_quota_of_valid_tokens(ask: Ask, world: World, database: Database) -> None:
    now = datetime.now(UTC)
    await add_tokens(database, world.viewer, limits.TOKENS_OF_ACTOR - 1)
    await add_tokens(database, world.viewer, 1, revoked_at=now)
    await add_tokens(database, world.viewer, 1, expires_at=now - timedelta(days=1))
    last = await done(ask, world.viewer, "createAccessToken", name="last")
    before = await everything(database)

    error = await refused(ask, world.viewer, "createAccessToken", name="one too many")

    assert (error["code"], error["path"]) == ("QUOTA_EXCEEDED", [])
    assert error["message"].startswith("viewer already has 100 valid access tokens")
    assert await everything(database) == before
    await done(ask, world.contributor, "createAccessToken", name="another actor's")
    await done(ask, world.viewer, "revokeAccessToken", accessTokenId=last["id"])
    await done(ask, world.viewer, "createAccessToken", name="instead")


async def test_an_organization_has_a_quota_of_valid_tokens(ask: Ask, world: World, database: Database) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        account = await make_service_account(session, world.organization)
    await add_tokens(database, account, limits.TOKENS_OF_ORGANIZATION)

    error = await refused(ask, world.viewer, "createAccessToken", name="one too many")

    assert error["message"].startswith("The organization already has 10000 valid access tokens")
    await done(ask, world.foreign.admin, "createAccessToken", name="another organization's")


async def test_revoked_and_expired_tokens_are_not_read_to_count_the_valid(database: Database, world: World) -> None:
    """A client that creates and revokes tokens in a loop would slow down all others otherwise."""
    counts = counts_of_valid(world.viewer, datetime.now(UTC))
    async with database.reads.begin() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        sql = counts.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plan = [row[-1] for row in await connection.execute(text(f"{explain} {sql}"))]

    reads = [line for line in plan if "access_token" in line]
    ranges = [line for line in plan if re.search(r"organization_id.* AND .*expires_at", line)]
    assert len(ranges) == 2, plan
    assert [line for line in reads if "ix_access_token_expiry" not in line] == []
