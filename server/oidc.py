"""Who a JSON Web Token of the configured OpenID Connect issuer speaks for (RFC 7519, RFC 8725)."""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Self

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from models.limits import NAME, storable
from models.member import stored_email
from server.jwks import PublishedKeys, download, read
from server.settings import Settings

# Whoever can check a shared-secret signature can make one, so HS* and `none` are out whatever is configured.
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
MAX_HEADER_BYTES = 4096


class RefusedToken(Exception):
    """Says why, never what was in the token."""


@dataclass(frozen=True)
class Issuer:
    keys: PublishedKeys
    algorithms: frozenset[str]
    claims: jwt.JWTClaimsRegistry
    member_claim: str

    @classmethod
    def trusted(cls, settings: Settings) -> Self | None:
        """Return the configured issuer, if any; raise `ValueError` when it is configured by half."""
        if settings.oidc_issuer is None:
            return None
        if settings.oidc_audience is None:
            raise ValueError("MAINSHEET_OIDC_ISSUER needs MAINSHEET_OIDC_AUDIENCE")
        algorithms = ASYMMETRIC.intersection(settings.oidc_algorithms)
        if not algorithms:
            raise ValueError("MAINSHEET_OIDC_ALGORITHMS names no asymmetric algorithm")
        claims = jwt.JWTClaimsRegistry(
            leeway=settings.oidc_leeway_seconds,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            exp={"essential": True},
        )
        return cls(_keys(settings), algorithms, claims, settings.oidc_member_claim)

    async def email(self, token: str) -> str:
        """Return the member's email address that a genuine token carries, or raise `RefusedToken`."""
        try:
            return self._member(await self._verified(token))
        except (JoseError, ValueError, TypeError) as error:
            raise RefusedToken(str(error) if isinstance(error, JoseError) else "malformed") from None

    async def _verified(self, token: str) -> jwt.Claims:
        registry = _registry(self.algorithms)
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        kid, algorithm = header.get("kid"), header["alg"]
        if not isinstance(kid, str | None) or algorithm not in self.algorithms:
            raise RefusedToken("its algorithm is not allowed, or its key id is not a string")
        key = await self.keys.find(kid, algorithm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA, which issuers still send
            claims = jwt.decode(token, key, registry=registry).claims
        self.claims.validate(claims)
        return claims

    def _member(self, claims: jwt.Claims) -> str:
        email = claims.get(self.member_claim)
        if not isinstance(email, str) or not storable(email) or not NAME.minimum <= len(email) <= NAME.maximum:
            raise RefusedToken(f"its claim {self.member_claim} holds no email address")
        if self.member_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
            raise RefusedToken("its email address is not verified")
        return stored_email(email)


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
