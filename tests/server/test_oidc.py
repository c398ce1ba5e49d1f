"""JSON Web Tokens, verified with a real key set served on loopback.

Longer than 300 lines: one subject, of which most lines are cases and their data.
"""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import Key, KeySet
from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.database import Database
from mainsheet.models.member import Member
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.auth.jwks import (
    MAX_AGE_SECONDS,
    MAX_BYTES,
    REFETCH_SECONDS,
    KeysUnavailable,
    PublishedKeys,
    discovered,
    download,
)
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.auth.oidc import Issuer, Issuers, RefusedToken
from mainsheet.server.live.validity import Validity
from mainsheet.server.settings import Settings
from testbed.ask import Ask
from testbed.clock import Clock
from testbed.world import make_member, make_organization
from tests.server.issuing import AUDIENCE, CONFIGURED, EC, ED, EMAIL, FORGED, NEXT, RSA, KeyServer, signed

CREATE_TOKEN = """mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) {
  token { expiresAt } userErrors { code path } } }"""


@pytest.fixture
def issuer(key_server: KeyServer, clock: Clock) -> Issuer:
    return trusted(key_server.url, PublishedKeys(partial(download, key_server.url), clock))


@pytest.fixture
async def authenticator(database: Database, issuer: Issuer, ada: Member) -> AsyncIterator[Authenticator]:
    authenticator = Authenticator(database, LastUse(database), Issuers([of(ada.organization_id, issuer)]))
    yield authenticator
    await authenticator.close()


@pytest.fixture
async def ada(database: Database) -> Member:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        return await make_member(session, await make_organization(session), email=EMAIL)


def trusted(url: str, keys: PublishedKeys, **settings: Any) -> Issuer:
    configured = Settings(**CONFIGURED, oidc_jwks_url=url, **settings)
    return replace(Issuers.configured(configured).known[0], keys=keys)


def of(organization_id: str, issuer: Issuer) -> Issuer:
    """The issuer, for another organization."""
    return replace(issuer, settings=issuer.settings.model_copy(update={"organization": organization_id}))


async def email(issuer: Issuer, token: str) -> str:
    return (await issuer.subject(token)).email


def at(seconds: int) -> timedelta:
    """A time at this distance from the signing."""
    return timedelta(seconds=seconds)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_valid_jwt_authenticates_the_member_by_email(
    authenticator: Authenticator, ada: Member, scheme: str
) -> None:
    caller = await authenticator.caller(f"{scheme} {signed()}")

    assert caller is not None
    assert (caller.actor_id, caller.organization_id) == (ada.id, ada.organization_id)
    assert caller.organization_role is ada.organization_role


@pytest.mark.parametrize("seconds", [600, -15], ids=["valid", "within-the-leeway"])
async def test_a_caller_by_jwt_cant_create_a_token_that_lives_longer(
    authenticator: Authenticator, database: Database, ada: Member, seconds: int
) -> None:
    expires_at = int(time.time()) + seconds
    end = expires_at + 30  # the leeway
    caller = await authenticator.caller(f"Bearer {signed(exp=expires_at)}")
    assert caller is not None
    ask = Ask(database)

    default = (await ask(caller, CREATE_TOKEN, input={"name": "ci"}))["createAccessToken"]
    longer = (await ask(caller, CREATE_TOKEN, input={"name": "ci", "expiresInSeconds": 86_400}))["createAccessToken"]

    assert datetime.fromisoformat(default["token"]["expiresAt"]) == datetime.fromtimestamp(end, UTC)
    assert longer == {"token": None, "userErrors": [{"code": "SCOPE_MISSING", "path": ["expiresInSeconds"]}]}


@pytest.mark.parametrize("exp", [1e12, 1e300, 10**400])
async def test_an_end_after_the_calendar_is_accepted(issuer: Issuer, exp: float) -> None:
    assert (await issuer.subject(signed(exp=exp))).expires_at.year == 9999


async def test_an_open_connection_may_use_a_jwt_for_as_long_as_a_request(
    authenticator: Authenticator, database: Database, ada: Member
) -> None:
    authorization = f"Bearer {signed(exp=at(-15))}"  # the leeway is 30 seconds
    caller = await authenticator.caller(authorization)
    assert caller is not None
    validity = Validity(database, authenticator.last_use)

    with validity.watched(authorization, caller) as ended:
        await validity.check()

        assert not ended.is_set()


async def test_a_token_for_an_unknown_member_is_refused(authenticator: Authenticator, ada: Member) -> None:
    assert await authenticator.caller(f"Bearer {signed(email='eve@harbor.example')}") is None


async def test_a_disabled_member_is_refused(authenticator: Authenticator, database: Database, ada: Member) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(update(Actor).where(Actor.id == ada.id).values(status=ActorStatus.DISABLED))

    assert await authenticator.caller(f"Bearer {signed()}") is None


async def test_an_issuer_authenticates_members_of_its_organization(
    authenticator: Authenticator, issuer: Issuer, database: Database, ada: Member
) -> None:
    async with AsyncSession(database.writes, expire_on_commit=False) as session, session.begin():
        await make_member(session, await make_organization(session), email=EMAIL)

    caller = await authenticator.caller(f"Bearer {signed()}")
    assert caller is not None
    assert caller.actor_id == ada.id
    of_another = replace(authenticator, issuers=Issuers([of("OR0", issuer)]))
    assert await of_another.caller(f"Bearer {signed()}") is None


async def test_without_an_issuer_no_jwt_is_accepted(database: Database, ada: Member) -> None:
    authenticator = Authenticator.configured(database, Settings(oidc_issuer=None))

    assert await authenticator.caller(f"Bearer {signed()}") is None


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")])
async def test_each_kind_of_key_is_accepted(issuer: Issuer, key: Key, algorithm: str) -> None:
    assert await email(issuer, signed(key, algorithm)) == EMAIL


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", AUDIENCE]},
        {"exp": at(-20)},  # the leeway is 30 seconds
        {"nbf": at(20)},
        {"email": EMAIL.upper()},
        {"email_verified": "true"},
    ],
)
async def test_a_token_is_accepted_with(issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await email(issuer, signed(**claims)) == EMAIL


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": at(-60)},
        {"exp": ...},
        {"exp": "tomorrow"},
        {"nbf": at(60)},
        {"iat": at(60)},
        {"iss": "https://id.lagoon.example"},
        {"iss": ...},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": ...},
        {"email": ...},
        {"email": 7},
        {"email": ""},
        {"email": "a\0@harbor.example"},
        {"email": "\ud800@harbor.example"},
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": ...},
    ],
    ids=str,
)
async def test_a_signed_token_is_refused_with(issuer: Issuer, claims: dict[str, Any]) -> None:
    with pytest.raises(RefusedToken):
        await email(issuer, signed(**claims))


async def test_another_claim_may_hold_the_email(key_server: KeyServer) -> None:
    keys = PublishedKeys(partial(download, key_server.url))
    issuer = trusted(key_server.url, keys, oidc_member_claim="upn")

    assert await email(issuer, signed(upn=EMAIL, email=...)) == EMAIL
    for verified in (False, ...):
        with pytest.raises(RefusedToken, match="not verified"):
            await email(issuer, signed(upn=EMAIL, email=..., email_verified=verified))


@pytest.mark.parametrize("claim", ["email", "upn"])
async def test_an_issuer_may_be_trusted_to_verify_addresses(key_server: KeyServer, claim: str) -> None:
    keys = PublishedKeys(partial(download, key_server.url))
    issuer = trusted(key_server.url, keys, oidc_member_claim=claim, oidc_trust_emails=True)

    named: dict[str, Any] = {claim: EMAIL}
    assert await email(issuer, signed(**named, email_verified=...)) == EMAIL
    with pytest.raises(RefusedToken, match="not verified"):
        await email(issuer, signed(**named, email_verified=False))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"])
async def test_the_access_token_type_is_accepted(issuer: Issuer, typ: str) -> None:
    assert await email(issuer, signed(typ=typ)) == EMAIL


@pytest.mark.parametrize("typ", ["logout+jwt", "secevent+jwt", "JOSE", "", "application/", "xJWT"])
async def test_a_token_of_another_type_is_refused(issuer: Issuer, typ: str) -> None:
    with pytest.raises(RefusedToken):
        await email(issuer, signed(typ=typ))


async def test_a_look_alike_letter_is_not_folded_into_another_address(issuer: Issuer) -> None:
    assert await email(issuer, signed(email="\u212aim@harbor.example")) != "kim@harbor.example"


async def test_an_unsigned_token_is_refused(issuer: Issuer) -> None:
    header, payload, _ = signed().split(".")
    none = urlsafe_b64encode(b'{"alg":"none","kid":"rsa"}').rstrip(b"=").decode()

    for token in (f"{none}.{payload}.", f"{header}.{payload}."):
        with pytest.raises(RefusedToken):
            await email(issuer, token)


async def test_the_public_key_as_a_shared_secret_is_refused(issuer: Issuer) -> None:
    pem = RSA.as_pem(private=False)
    _, payload, _ = signed().split(".")
    header = urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').rstrip(b"=").decode()
    mac = hmac.digest(pem, f"{header}.{payload}".encode(), "sha256")

    with pytest.raises(RefusedToken):
        await email(issuer, f"{header}.{payload}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}")


async def test_an_algorithm_that_is_not_on_the_list_is_refused(issuer: Issuer) -> None:
    with pytest.raises(RefusedToken):
        await email(issuer, signed(algorithm="RS512"))


@pytest.mark.parametrize("algorithms", ["HS256", "none", "RS256,HS256", ""])
def test_only_asymmetric_algorithms_can_be_configured(algorithms: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**CONFIGURED, oidc_algorithms=algorithms)


@pytest.mark.parametrize("missing", ["oidc_audience", "oidc_organization"])
def test_an_incomplete_issuer_configuration_is_an_error(missing: str) -> None:
    whole = Settings(**CONFIGURED)

    with pytest.raises(ValueError, match=missing.upper()):
        Issuers.configured(whole.model_copy(update={missing: None}))


async def test_a_rotated_key_is_fetched(key_server: KeyServer, issuer: Issuer, clock: Clock) -> None:
    await email(issuer, signed())
    key_server.keys = [NEXT]
    clock.now += REFETCH_SECONDS

    assert await email(issuer, signed(NEXT)) == EMAIL
    assert key_server.asked == 2
    with pytest.raises(RefusedToken):
        await email(issuer, signed(RSA))


async def test_a_forged_signature_under_a_known_key_id_is_refused(key_server: KeyServer, issuer: Issuer) -> None:
    with pytest.raises(RefusedToken):
        await email(issuer, signed(FORGED))

    assert key_server.asked == 1


async def test_forged_key_ids_cause_few_fetches(key_server: KeyServer, issuer: Issuer, clock: Clock) -> None:
    await email(issuer, signed())

    for number in range(20):
        with pytest.raises(RefusedToken):
            await email(issuer, signed(FORGED, kid=f"forged-{number}"))
    assert key_server.asked == 1

    clock.now += REFETCH_SECONDS
    results = await asyncio.gather(
        *(email(issuer, signed(FORGED, kid=f"forged-{number}")) for number in range(20)), return_exceptions=True
    )
    assert all(isinstance(result, RefusedToken) for result in results)
    assert key_server.asked == 2


async def test_known_keys_are_kept_while_the_issuer_is_down(
    key_server: KeyServer, issuer: Issuer, clock: Clock
) -> None:
    await email(issuer, signed())
    await key_server.stop()
    clock.now += MAX_AGE_SECONDS + 1

    with pytest.raises(RefusedToken):
        await email(issuer, signed(NEXT))

    assert await email(issuer, signed()) == EMAIL


async def test_the_issuer_may_be_down_at_the_start(key_server: KeyServer, issuer: Issuer, clock: Clock) -> None:
    key_server.body = b"<html>Bad gateway"
    with pytest.raises(KeysUnavailable) as caught:
        await email(issuer, signed())
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "10")

    key_server.body = None
    clock.now += REFETCH_SECONDS

    assert await email(issuer, signed()) == EMAIL


async def test_a_withdrawn_key_expires(key_server: KeyServer, issuer: Issuer, clock: Clock) -> None:
    await email(issuer, signed())
    key_server.keys = [EC]
    clock.now += MAX_AGE_SECONDS + 1

    assert await email(issuer, signed()) == EMAIL  # starts the fetch without waiting for it
    with pytest.raises(RefusedToken):
        await email(issuer, signed(NEXT))  # waits for the same fetch
    with pytest.raises(RefusedToken):
        await email(issuer, signed())
    assert key_server.asked == 2


async def test_a_disconnect_doesnt_cancel_the_key_fetch(key_server: KeyServer, issuer: Issuer) -> None:
    key_server.open.clear()
    first = asyncio.create_task(email(issuer, signed()))
    await key_server.arrived.wait()

    first.cancel()
    second = asyncio.create_task(email(issuer, signed()))
    key_server.open.set()

    assert await second == EMAIL
    assert first.cancelled()
    assert key_server.asked == 1


async def test_a_token_without_a_key_id_takes_the_only_key(key_server: KeyServer, issuer: Issuer) -> None:
    key_server.keys = [RSA]

    assert await email(issuer, signed(kid=None)) == EMAIL


async def test_a_token_without_a_key_id_is_refused_when_there_are_several(issuer: Issuer) -> None:
    with pytest.raises(RefusedToken):
        await email(issuer, signed(kid=None))


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")], ids=["RSA", "EC"])
async def test_keys_of_other_types_may_have_the_same_id(
    key_server: KeyServer, issuer: Issuer, key: Key, algorithm: str
) -> None:
    entries = [{**each.as_dict(private=False), "kid": "same"} for each in (RSA, EC)]
    key_server.body = json.dumps({"keys": entries}).encode()

    assert await email(issuer, signed(key, algorithm, kid="same")) == EMAIL


async def test_encryption_keys_dont_verify_signatures(key_server: KeyServer, issuer: Issuer) -> None:
    key_server.body = json.dumps({"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}).encode()

    with pytest.raises(RefusedToken):
        await email(issuer, signed())


async def test_invalid_entries_of_the_key_set_are_ignored(key_server: KeyServer, issuer: Issuer) -> None:
    entries = [7, {}, {"kty": "AKP"}, {"kty": "RSA", "n": "!"}, {"kty": "EC", "crv": "P-0"}]
    key_server.body = json.dumps({"keys": [*entries, RSA.as_dict(private=False)]}).encode()

    assert await email(issuer, signed()) == EMAIL


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'{"keys":null}', b'{"keys":7}', b"\xff"], ids=repr)
async def test_a_response_without_a_key_set_is_refused(key_server: KeyServer, issuer: Issuer, body: bytes) -> None:
    key_server.body = body

    with pytest.raises(KeysUnavailable):
        await email(issuer, signed())


async def test_a_key_set_that_is_too_large_is_refused(key_server: KeyServer) -> None:
    key_server.body = b" " * (MAX_BYTES + 1)

    with pytest.raises(ValueError, match="bytes"):
        await download(key_server.url)


async def test_a_redirect_of_the_key_set_is_not_followed(key_server: KeyServer) -> None:
    with pytest.raises(ValueError, match="302"):
        await download(key_server.url.replace("jwks", "moved"))


async def test_keys_may_come_from_the_discovery_document(key_server: KeyServer) -> None:
    settings = Settings(**CONFIGURED | {"oidc_issuer": key_server.issuer})
    issuer = Issuers.configured(settings).known[0]

    assert await email(issuer, signed(iss=key_server.issuer)) == EMAIL


@pytest.mark.parametrize(
    "changed",
    [{"issuer": "https://id.lagoon.example"}, {"jwks_uri": 7}, {"jwks_uri": "ftp://127.0.0.1/jwks"}],
    ids=str,
)
async def test_a_wrong_discovery_document_gives_no_keys(key_server: KeyServer, changed: dict[str, Any]) -> None:
    key_server.discovery = changed

    with pytest.raises(ValueError, match="its discovery document"):
        await discovered(key_server.issuer)


async def test_keys_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(KeySet([RSA]).as_dict()))
    issuer = Issuers.configured(Settings(**CONFIGURED, oidc_jwks_file=file)).known[0]

    assert await email(issuer, signed()) == EMAIL


FILE_OF_KEYS = json.dumps(KeySet([RSA]).as_dict()).encode()
SEGMENTS = signed().split(".")


@given(
    st.lists(
        st.one_of(st.sampled_from(SEGMENTS), st.text(), st.binary().map(lambda raw: urlsafe_b64encode(raw).decode())),
        min_size=3,
        max_size=3,
    ).filter(lambda segments: segments != SEGMENTS)
)
async def test_any_malformed_token_is_refused(segments: list[str]) -> None:
    async def load() -> bytes:
        return FILE_OF_KEYS

    issuer = trusted("http://127.0.0.1:1/", PublishedKeys(load))

    with pytest.raises(RefusedToken):
        await email(issuer, ".".join(segments))


async def test_a_header_that_is_nested_deeply_is_refused() -> None:
    async def load() -> bytes:
        return FILE_OF_KEYS

    nested = urlsafe_b64encode(b"[" * 3000).decode()
    issuer = trusted("http://127.0.0.1:1/", PublishedKeys(load))

    with pytest.raises(RefusedToken):
        await email(issuer, ".".join([nested, *SEGMENTS[1:]]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "email", "email_verified"]),
)
async def test_any_claims_of_a_signed_token_are_handled(value: Any, claim: str) -> None:
    async def load() -> bytes:
        return FILE_OF_KEYS

    issuer = trusted("http://127.0.0.1:1/", PublishedKeys(load))

    try:
        found = await email(issuer, signed(**{claim: value}))
    except RefusedToken:
        return
    assert claim in {"nbf", "iat", "exp", "email", "email_verified"}
    assert found == EMAIL or claim == "email"
