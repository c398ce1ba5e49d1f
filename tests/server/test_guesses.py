"""The limit of wrong tokens per client."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.auth import tokens
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.guesses import Guesses, TooManyGuesses
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.operations import buckets
from testbed.clock import Clock
from testbed.statements import statements_of
from testbed.world import make_member, make_organization

PER_MINUTE = 6
ATTACKER, VICTIM = "203.0.113.1", "203.0.113.2"


@pytest.fixture
def statements(database: Database) -> list[str]:
    return statements_of(database)


@pytest.fixture
async def authenticator(database: Database, clock: Clock) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(database, LastUse(database), guesses=Guesses(PER_MINUTE, clock))
    yield authenticator
    await authenticator.close()


@pytest.fixture
async def ada(database: Database) -> Member:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        return await make_member(session, await make_organization(session))


async def guess(authenticator: Authenticator, count: int, client: str = ATTACKER) -> int:
    """Send this many wrong tokens and return how many were looked up."""
    refused = 0
    for number in range(count):
        try:
            assert await authenticator.caller(f"Bearer mst_{number}", client) is None
        except TooManyGuesses:
            refused += 1
    return count - refused


async def test_too_many_wrong_tokens_stop_database_lookups(authenticator: Authenticator, statements: list[str]) -> None:
    assert await guess(authenticator, 5 * PER_MINUTE) == PER_MINUTE

    assert len(statements) == PER_MINUTE


async def test_a_seen_token_works_during_an_attack_from_its_address(
    database: Database, authenticator: Authenticator, ada: Member
) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    assert await authenticator.caller(f"Bearer {secret}", VICTIM)
    await guess(authenticator, 2 * PER_MINUTE)

    assert await authenticator.caller(f"Bearer {secret}", ATTACKER)


async def test_a_new_token_works_when_the_bucket_has_drained(
    database: Database, authenticator: Authenticator, ada: Member, clock: Clock
) -> None:
    secret = await tokens.create(database, ada.email, None, None)
    await guess(authenticator, 2 * PER_MINUTE)
    with pytest.raises(TooManyGuesses) as refusal:
        await authenticator.caller(f"Bearer {secret}", ATTACKER)

    clock.now += int(refusal.value.headers["Retry-After"])

    assert refusal.value.status == 429
    assert await authenticator.caller(f"Bearer {secret}", ATTACKER)


async def test_an_ended_token_is_always_401(database: Database, authenticator: Authenticator, ada: Member) -> None:
    secret = await tokens.create(database, ada.email, None, "laptop")
    (token, *_), *_ = await tokens.listing(database, ada.email)
    await tokens.revoke(database, token.id)

    for _ in range(3 * PER_MINUTE):
        assert await authenticator.caller(f"Bearer {secret}", ATTACKER) is None

    assert await guess(authenticator, PER_MINUTE) == PER_MINUTE


async def test_other_clients_are_not_limited(authenticator: Authenticator) -> None:
    await guess(authenticator, 2 * PER_MINUTE)

    assert await guess(authenticator, PER_MINUTE, VICTIM) == PER_MINUTE


def test_the_memory_is_bounded_to_the_newest_clients(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(buckets, "MOST_KEYS", 3)
    limiter = Guesses(1, clock)

    for client in "abcd":
        limiter.count(client)

    limiter.check("a")
    for client in "bcd":
        with pytest.raises(TooManyGuesses):
            limiter.check(client)


def test_zero_means_no_limit(clock: Clock) -> None:
    limiter = Guesses(0, clock)
    for _ in range(1_000):
        limiter.count(ATTACKER)

    limiter.check(ATTACKER)
