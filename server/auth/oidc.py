"""Verifies JSON Web Tokens of the configured OpenID Connect issuers (RFC 7519, RFC 8725)."""

import warnings
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

import orjson
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError, SecurityWarning

from mainsheet.models.limits import NAME, storable
from mainsheet.models.member import stored_email
from mainsheet.resolvers.commands.sign_in import Roles
from mainsheet.server.auth.issuers import IssuerSettings, configured, texts
from mainsheet.server.auth.jwks import PublishedKeys, discovered, download, read
from mainsheet.server.settings import Settings

MAX_HEADER_BYTES = 4096
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

# Access tokens (RFC 9068) and plain JWTs; a logout token or a security event doesn't authenticate (RFC 8725).
TYPES = frozenset({"jwt", "at+jwt"})


class RefusedToken(Exception):
    """The token is refused. The message gives the reason without any content of the token."""

    def __init__(self, reason: str, *, is_expired: bool = False) -> None:
        super().__init__(reason)
        self.is_expired = is_expired


@dataclass(frozen=True)
class Subject:
    """Whom a verified token names: a service account by its id, or else a member by the email address."""

    issuer: IssuerSettings
    email: str
    service_account_id: str | None
    claims: jwt.Claims
    issued_at: datetime
    expires_at: datetime  # when the token is no longer accepted: after its `exp` and the tolerated clock difference

    @property
    def name(self) -> str:
        """The name for a new member: the address, if the claim holds none that can be stored."""
        name = self.claims.get(self.issuer.name_claim)
        return name if isinstance(name, str) and not any(NAME.check(name, ())) else self.email

    @property
    def roles(self) -> Roles | None:
        """The roles that the token's groups give, or None if they give none or have to be requested elsewhere.

        An issuer says the latter if they are too many (OpenID Connect Core 1.0, section 5.6.2).
        """
        elsewhere, claim = self.claims.get("_claim_names"), self.issuer.groups_claim
        if not self.issuer.groups or (isinstance(elsewhere, dict) and claim in elsewhere):
            return None
        return self.issuer.roles(texts(self.claims.get(claim)))


@dataclass(frozen=True)
class Issuer:
    settings: IssuerSettings
    keys: PublishedKeys

    @classmethod
    def of(cls, settings: IssuerSettings) -> Self:
        return cls(settings, PublishedKeys(_source(settings)))

    async def subject(self, token: str) -> Subject:
        """Verify a token and return its subject.

        Raises `RefusedToken`, or `KeysUnavailable` if no key could be read yet.
        """
        try:
            claims = await self._verified(token)
            account_id = self.settings.service_accounts.get(_subject(claims))
            email = self._email(claims) if account_id is None else ""
            expires_at = datetime.fromtimestamp(min(claims["exp"] + self.settings.leeway_seconds, LATEST), UTC)
            return Subject(self.settings, email, account_id, claims, _issued_at(claims), expires_at)
        except (JoseError, ValueError, TypeError, RecursionError) as error:  # the last one of deeply nested JSON
            reason = str(error) if isinstance(error, JoseError) else "malformed"
            raise RefusedToken(reason, is_expired=isinstance(error, ExpiredTokenError)) from None

    async def _verified(self, token: str) -> jwt.Claims:
        algorithms = frozenset[str](self.settings.algorithms)
        registry = _registry(algorithms)
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        kid, algorithm = header.get("kid"), header["alg"]
        if not isinstance(kid, str | None) or algorithm not in algorithms:
            raise RefusedToken("its algorithm is not allowed, or its key id is not a string")
        if not _is_access_token(header.get("typ", "JWT")):
            raise RefusedToken("its type is not JWT or at+jwt")
        key = await self.keys.find(kid, algorithm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA, which issuers still send
            claims = jwt.decode(token, key, registry=registry).claims
        _expected(self.settings).validate(claims)
        return claims

    def _email(self, claims: jwt.Claims) -> str:
        name = self.settings.member_claim
        email = claims.get(name)
        if not isinstance(email, str) or not storable(email) or not NAME.minimum <= len(email) <= NAME.maximum:
            raise RefusedToken(f"its claim {name} holds no email address")
        # For any member claim: OpenID Connect has no other claim that says that an address was verified.
        if claims.get("email_verified", self.settings.trust_emails) not in (True, "true"):
            raise RefusedToken("its email address is not verified")
        return stored_email(email)


@dataclass(frozen=True)
class Issuers:
    """The issuers whose tokens are accepted."""

    known: Sequence[Issuer]

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Raises `ValueError` if the configuration is incomplete or contradictory."""
        return cls([Issuer.of(each) for each in configured(settings)])

    async def subject(self, token: str) -> Subject:
        """Verify a token by the issuer that it names, and return its subject. Raises as `Issuer.subject`."""
        claims = _unverified(token)
        named = [each for each in self.known if each.settings.issuer == claims.get("iss")]
        if not named:
            raise RefusedToken("its issuer is not known")
        audiences = texts(claims.get("aud"))
        meant = [each for each in named if each.settings.audience in audiences]
        return await (meant or named)[0].subject(token)


def _unverified(token: str) -> Mapping[str, object]:
    """Return the claims, only to choose by whom they are verified."""
    payload = token.split(".")[1]
    try:
        claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        raise RefusedToken("malformed") from None
    if not isinstance(claims, dict):
        raise RefusedToken("malformed")
    return claims


def _subject(claims: jwt.Claims) -> str:
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else ""


def _issued_at(claims: jwt.Claims) -> datetime:
    """Return the token's `iat`. Tokens without groups may have none."""
    return datetime.fromtimestamp(min(max(claims.get("iat", 0), 0), LATEST), UTC)


def _expected(settings: IssuerSettings) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        leeway=settings.leeway_seconds,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.audience},
        exp={"essential": True},
        iat={"essential": bool(settings.groups)},  # of two tokens, the groups of the one issued later count
    )


def _is_access_token(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in TYPES


def _registry(algorithms: frozenset[str]) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)  # RFC 7515 §4: ignore unknown ones
    registry.max_header_length = MAX_HEADER_BYTES
    return registry


def _source(settings: IssuerSettings) -> Callable[[], Awaitable[bytes]]:
    if settings.jwks_file is not None:
        return partial(read, settings.jwks_file)
    if settings.jwks_url is not None:
        return partial(download, settings.jwks_url)
    return partial(discovered, settings.issuer)
