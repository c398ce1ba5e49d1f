"""When tokens were last used: written in the background, once a minute for each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mainsheet.models.access_token import AccessToken
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.auth import last_use as last_use_module
from mainsheet.server.auth import tokens
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.last_use import INTERVAL, LastUse
from tests.server.test_tokens import ada, authenticator, change, row

__all__ = ["ada", "authenticator"]


async def test_the_last_use_is_written_once_a_minute(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    start = datetime.now(UTC)
    last_use = authenticator.last_use

    last_use.note(await row(database, secret), start)
    last_use.note(await row(database, secret), start + INTERVAL - timedelta(seconds=1))
    await last_use.close()
    assert (await row(database, secret)).last_used_at == start

    last_use.note(await row(database, secret), start + INTERVAL)
    await last_use.close()
    assert (await row(database, secret)).last_used_at == start + INTERVAL


async def test_a_last_use_written_by_another_process_is_kept(database: Database, ada: Member) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    now = datetime.now(UTC)
    await change(database, secret, last_used_at=now)
    last_use = LastUse(database)

    last_use.note(await row(database, secret), now + timedelta(seconds=30))
    await last_use.close()

    assert (await row(database, secret)).last_used_at == now


async def test_requests_dont_wait_for_the_last_use(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    async with database.writes.begin() as connection:
        await connection.execute(update(AccessToken).values(name="locked"))

        caller = await authenticator.caller(f"Bearer {secret}")  # would hang if it waited

        assert caller is not None
    await authenticator.close()
    assert (await row(database, secret)).last_used_at is not None


async def test_a_failed_last_use_doesnt_fail_the_request(database: Database, ada: Member) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    read_only = replace(database, writes=database.reads)
    authenticator = Authenticator(read_only, LastUse(read_only))

    caller = await authenticator.caller(f"Bearer {secret}")
    await authenticator.close()

    assert caller is not None
    assert (await row(database, secret)).last_used_at is None


async def test_the_last_uses_of_a_limited_number_of_tokens_are_kept(
    database: Database, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_use_module, "MOST_NOTED", 2)
    secrets = [await tokens.create(database, ada.email, None, None) for _ in range(3)]
    rows = [await row(database, each) for each in secrets]
    last_use, start = LastUse(database), datetime.now(UTC)
    for each in rows:
        last_use.note(each, start)
    await last_use.close()

    soon = start + INTERVAL / 2
    for each in reversed(rows):
        last_use.note(each, soon)
    await last_use.close()

    used_at = [(await row(database, each)).last_used_at for each in secrets]
    assert used_at == [soon, start, start]  # the first one was forgotten, and so is written again
