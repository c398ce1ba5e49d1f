"""Authenticates the caller by the `Authorization` header (RFC 6750)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple, Self

import structlog
from cachetools import LRUCache
from sqlalchemy import String, bindparam, select

from mainsheet.models.access_token import AccessToken, digest, is_valid
from mainsheet.models.actor import Actor, ActorKind, ActorStatus
from mainsheet.models.clock import database_time
from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope, OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View
from mainsheet.server.auth.guesses import Guesses
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.auth.oidc import Issuers, RefusedToken, Subject
from mainsheet.server.auth.sign_in import SignIn
from mainsheet.server.settings import Settings

OUR_PREFIX = "mst_"
MOST_OWNERS = 10_000
DOTS_OF_A_JWT = 2
REFUSED = "bearer token refused"

TOKEN = ("id", "scopes", "expires_at", "revoked_at", "last_used_at")
ACTOR = (Actor.id.label("actor_id"), Actor.organization_id, Actor.organization_role, Actor.status)

log = structlog.stdlib.get_logger("mainsheet.authentication")


class Owner(NamedTuple):
    """The owner of a token that the database has, until a time of our monotonic clock. Then it is looked up again."""

    caller: Caller
    token_id: str
    refusal: str | None  # why the token is refused
    known_until: float


@dataclass(eq=False)
class Authenticator:
    """Authenticates tokens. It caches owners for `remembered_seconds`, during which a revoked token still works.

    Wrong tokens are counted by client. If a client sent too many, unknown tokens aren't looked up. Tokens that this
    process has seen in the database always are, so that clients who share an address don't lock each other out.
    """

    database: Database
    last_use: LastUse
    issuers: Issuers = field(default_factory=lambda: Issuers([]))
    remembered_seconds: float = 0
    guesses: Guesses = field(default_factory=Guesses)
    sign_in: SignIn = field(init=False)
    _owners: LRUCache[str, Owner] = field(default_factory=lambda: LRUCache(MOST_OWNERS))

    def __post_init__(self) -> None:
        self.sign_in = SignIn(self.database)

    @classmethod
    def configured(cls, database: Database, settings: Settings) -> Self:
        """Build it from the settings. Raises `ValueError` if OpenID Connect is configured incompletely."""
        guesses = Guesses(settings.wrong_tokens_per_minute)
        return cls(database, LastUse(database), Issuers.configured(settings), settings.token_cache_seconds, guesses)

    async def caller(self, authorization: str | None, client: str = "") -> Caller | None:
        """Return the caller, or None if the header is missing or wrong. `client` is the client's address.

        Raises `Unavailable` if the database fails, `TooManyGuesses`, and `KeysUnavailable`.
        """
        token = bearer_token(authorization)
        if token is None:
            return None
        if token.startswith(OUR_PREFIX):
            return await self._owner(token, client)
        if self.issuers.known and token.count(".") == DOTS_OF_A_JWT:
            return await self._subject(token, client)
        return None

    async def close(self) -> None:
        await self.last_use.close()

    async def _owner(self, secret: str, client: str) -> Caller | None:
        token_digest = digest(secret)
        owner = self._owners.get(token_digest)
        if owner is None:
            self.guesses.check(client)
        if owner is None or owner.known_until <= monotonic():
            owner = await self._looked_up(token_digest, client)
        if owner is None or owner.refusal is None:
            return owner and owner.caller
        log.info(REFUSED, reason=owner.refusal, token=owner.token_id)
        return None

    async def _looked_up(self, token_digest: str, client: str) -> Owner | None:
        looked_up = monotonic()
        rows = await rows_alone(self.database, _tokens, digest=token_digest)
        if not rows:
            self._owners.pop(token_digest, None)
            self.guesses.count(client)
            log.info(REFUSED, reason="no such token")
            return None
        row = rows[0]
        caller, refusal = _caller(row, row.scopes, row.expires_at, row.id), _reason_to_refuse(row)
        owner = Owner(caller, row.id, refusal, looked_up + self._remembered_seconds_of(row, refusal))
        self._owners[token_digest] = owner
        if refusal is None:
            self.last_use.note(row, row.read_at)
        return owner

    def _remembered_seconds_of(self, row: Any, refusal: str | None) -> float:
        if row.expires_at is None or refusal is not None:
            return self.remembered_seconds
        left: timedelta = row.expires_at - row.read_at
        return min(self.remembered_seconds, left.total_seconds())

    async def _subject(self, token: str, client: str) -> Caller | None:
        try:
            subject = await self.issuers.subject(token)
        except RefusedToken as refusal:
            if not refusal.is_expired:
                self.guesses.check(client)  # after the verification, so that a valid token is never refused
                self.guesses.count(client)
            log.info(REFUSED, reason=str(refusal))
            return None
        row = await self._account(subject) if subject.service_account_id else await self._signed_in(subject)
        if row is None or row.status != ActorStatus.ACTIVE:
            log.info(REFUSED, reason="its subject is no active actor of the issuer's organization")
            return None
        caller = _caller(row, subject.issuer.scopes, subject.expires_at)
        return replace(caller, named_email=subject.email or None)

    async def _account(self, subject: Subject) -> Any | None:
        values = {"id": subject.service_account_id or "", "organization_id": subject.issuer.organization}
        return next(iter(await rows_alone(self.database, _service_accounts, **values)), None)

    async def _signed_in(self, subject: Subject) -> Any | None:
        """Return the row of the subject as a member, with the roles that the token's groups give."""
        values = {"email": subject.email, "organization_id": subject.issuer.organization}
        row = next(iter(await rows_alone(self.database, _members, **values)), None)
        if row is None:
            is_due = self.sign_in.may_create(subject)
        else:
            is_active = row.status == ActorStatus.ACTIVE
            is_due = is_active and self.sign_in.is_due(subject, row.groups_as_of)
        if is_due:
            await self.sign_in.apply(subject, is_new=row is None)
            row = next(iter(await rows_alone(self.database, _members, **values)), None)
        return row


def bearer_token(authorization: str | None) -> str | None:
    scheme, _, credentials = (authorization or "").partition(" ")
    token = credentials.strip(" ")
    return token if scheme.lower() == "bearer" and token.isascii() else None


def _reason_to_refuse(row: Any) -> str | None:
    if not is_valid(row, row.read_at):
        return "the token is expired or revoked"
    return None if row.status == ActorStatus.ACTIVE else "its actor is disabled"


def _tokens(_view: View) -> Statement:
    own = (Actor.organization_id == AccessToken.organization_id) & (Actor.id == AccessToken.actor_id)
    columns = [getattr(AccessToken, name) for name in TOKEN]
    read_at = database_time().label("read_at")
    return (
        select(*columns, *ACTOR, read_at)
        .join(Actor, own)
        .where(AccessToken.digest == bindparam("digest", type_=String()))
    )


def _members(_view: View) -> Statement:
    own = Actor.organization_id == bindparam("organization_id", type_=String())
    is_member = Actor.kind == ActorKind.MEMBER
    by_email = Actor.email == bindparam("email", type_=String())
    return select(*ACTOR, Actor.groups_as_of).where(own, by_email, is_member)


def _service_accounts(_view: View) -> Statement:
    own = Actor.organization_id == bindparam("organization_id", type_=String())
    is_account = Actor.kind == ActorKind.SERVICE_ACCOUNT
    return select(*ACTOR).where(own, Actor.id == bindparam("id", type_=String()), is_account)


def _caller(row: Any, scopes: Iterable[str], expires_at: datetime | None, token_id: str | None = None) -> Caller:
    role = OrganizationRole(row.organization_role)
    return Caller(row.actor_id, row.organization_id, role, frozenset(map(AccessScope, scopes)), expires_at, token_id)
