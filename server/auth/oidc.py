"""Verifies JSON Web Tokens of the configured OpenID Connect issuer (RFC 7519, RFC 8725)."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError, SecurityWarning

from mainsheet.models.access_token import OF_ALL
from mainsheet.models.limits import NAME, storable
from mainsheet.models.member import stored_email
from mainsheet.models.roles import AccessScope
from mainsheet.server.auth.jwks import PublishedKeys, download, read
from mainsheet.server.settings import Settings

# Shared-secret algorithms (HS*) and `none` are never allowed: anyone who can verify an HS* signature can forge one.
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
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
    """The member whom a verified token names, and the token's `exp`."""

    email: str
    expires_at: datetime


@dataclass(frozen=True)
class Issuer:
    keys: PublishedKeys
    algorithms: frozenset[str]
    claims: jwt.JWTClaimsRegistry
    member_claim: str
    organization_id: str
    trusts_emails: bool = False
    scopes: frozenset[AccessScope] = OF_ALL

    @classmethod
    def trusted(cls, settings: Settings) -> Self | None:
        """Return the configured issuer, if any. Raises `ValueError` if the configuration is incomplete."""
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_audience is None:
            raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_AUDIENCE")
        if settings.oidc_organization is None:  # emails are unique only within an organization
            raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_ORGANIZATION")
        algorithms = ASYMMETRIC.intersection(settings.oidc_algorithms)
        if not algorithms:
            raise ValueError("MAINSHEET_OIDC_ALGORITHMS names no asymmetric algorithm")
        claims = jwt.JWTClaimsRegistry(
            leeway=settings.oidc_leeway_seconds,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            exp={"essential": True},
        )
        claim, trusts = settings.oidc_member_claim, settings.oidc_trust_emails
        scopes = frozenset(settings.oidc_scopes)
        return cls(_keys(settings), algorithms, claims, claim, settings.oidc_organization, trusts, scopes)

    async def subject(self, token: str) -> Subject:
        """Verify a token and return its subject.

        Raises `RefusedToken`, or `KeysUnavailable` if no key could be read yet.
        """
        try:
            claims = await self._verified(token)
            return Subject(self._email(claims), datetime.fromtimestamp(min(claims["exp"], LATEST), UTC))
        except (JoseError, ValueError, TypeError) as error:
            reason = str(error) if isinstance(error, JoseError) else "malformed"
            raise RefusedToken(reason, is_expired=isinstance(error, ExpiredTokenError)) from None

    async def _verified(self, token: str) -> jwt.Claims:
        registry = _registry(self.algorithms)
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        kid, algorithm = header.get("kid"), header["alg"]
        if not isinstance(kid, str | None) or algorithm not in self.algorithms:
            raise RefusedToken("its algorithm is not allowed, or its key id is not a string")
        if not _is_access_token(header.get("typ", "JWT")):
            raise RefusedToken("its type is not JWT or at+jwt")
        key = await self.keys.find(kid, algorithm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA, which issuers still send
            claims = jwt.decode(token, key, registry=registry).claims
        self.claims.validate(claims)
        return claims

    def _email(self, claims: jwt.Claims) -> str:
        email = claims.get(self.member_claim)
        if not isinstance(email, str) or not storable(email) or not NAME.minimum <= len(email) <= NAME.maximum:
            raise RefusedToken(f"its claim {self.member_claim} holds no email address")
        # For any member claim: OpenID Connect has no other claim that says that an address was verified.
        if claims.get("email_verified", self.trusts_emails) not in (True, "true"):
            raise RefusedToken("its email address is not verified")
        return stored_email(email)


def _is_access_token(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in TYPES


def _registry(algorithms: frozenset[str]) -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)  # RFC 7515 §4: ignore unknown ones
    registry.max_header_length = MAX_HEADER_BYTES
    return registry


def _keys(settings: Settings) -> PublishedKeys:
    if settings.oidc_jwks_url is not None:
        return PublishedKeys(partial(download, settings.oidc_jwks_url))
    if settings.oidc_jwks_file is not None:
        return PublishedKeys(partial(read, settings.oidc_jwks_file))
    raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_JWKS_URL or MAINSHEET_OIDC_JWKS_FILE")
