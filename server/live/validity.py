"""Ends open connections whose tokens are no longer valid."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from mainsheet.executor.turns import next_turn
from mainsheet.models.access_token import AccessToken, digest, is_valid
from mainsheet.models.actor import Actor, ActorStatus
from mainsheet.models.clock import database_time
from mainsheet.models.database import Database
from mainsheet.models.roles import AccessScope
from mainsheet.models.unavailable import Unavailable
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.array_param import each_key
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View
from mainsheet.server.auth.authentication import OUR_PREFIX, TOKEN, bearer_token
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.process.background import repeated

CHECK_SECONDS = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """An open connection. `digest` is its token's, or None for a JWT. `end` is called when it is no longer valid."""

    digest: str | None
    caller: Caller
    end: Callable[[], None]

    @property
    def key(self) -> str:
        return self.digest or self.caller.actor_id


class Validity:
    """Reads the tokens and actors of all open connections of this process, by one statement and without a cache."""

    def __init__(self, database: Database, last_use: LastUse) -> None:
        self._database = database
        self._last_use = last_use
        self._opened: set[Opened] = set()

    def open(self, authorization: str | None, caller: Caller, end: Callable[[], None]) -> Opened:
        """Watch a connection until `close`. `end` is called if its token or its actor is no longer valid."""
        token = bearer_token(authorization) or ""
        opened = Opened(digest(token) if token.startswith(OUR_PREFIX) else None, caller, end)
        self._opened.add(opened)
        return opened

    def close(self, opened: Opened) -> None:
        self._opened.discard(opened)

    @contextmanager
    def watched(self, authorization: str | None, caller: Caller) -> Iterator[asyncio.Event]:
        """Yield an event that is set when the token is revoked or expired, or its actor is disabled or changed."""
        ended = asyncio.Event()
        opened = self.open(authorization, caller, ended.set)
        try:
            yield ended
        finally:
            self.close(opened)

    async def checking(self, _app: web.Application) -> AsyncIterator[None]:
        """Check while the application runs."""
        async with repeated("check tokens", CHECK_SECONDS, self.check):
            yield

    async def check(self) -> None:
        """End the connections that are no longer valid; all of them if that can't be found out.

        An `Unavailable` database ends none: the next check does.
        """
        if not self._opened:
            return
        checked = list(self._opened)
        try:
            ended = await self._ended(checked)
        except Unavailable:
            return
        except Exception:
            self._end(checked)
            raise
        self._end(ended)

    def _end(self, connections: list[Opened]) -> None:
        for each in connections:
            each.end()

    async def _ended(self, connections: list[Opened]) -> list[Opened]:
        rows = await rows_alone(self._database, _actors, keys=sorted({each.key for each in connections}))
        found = {row.key: row for row in rows}
        ended = []
        for each in connections:
            await next_turn()
            if not self._is_valid(each, found.get(each.key)):
                ended.append(each)
        return ended

    def _is_valid(self, connection: Opened, row: Any) -> bool:
        if row is None or row.status != ActorStatus.ACTIVE:
            return False
        caller, now = connection.caller, row.read_at
        if (row.actor_id, row.organization_role) != (caller.actor_id, caller.organization_role):
            return False
        if connection.digest is None:
            is_named = caller.named_email in (None, row.email)
            return is_named and (caller.token_expires_at is None or now < caller.token_expires_at)
        is_good = is_valid(row, now) and caller.scopes == frozenset(map(AccessScope, row.scopes))
        if is_good:
            self._last_use.note(row, now)
        return is_good


def _actors(view: View) -> Statement:
    """Select the actor of each key, which is a token's digest or an actor's id, and the token."""
    key = each_key("opened", is_sqlite=view.is_sqlite)
    actor = (Actor.id.label("actor_id"), Actor.organization_role, Actor.status, Actor.email)
    token = [getattr(AccessToken, name) for name in TOKEN]
    found = select(key.c.value.label("key"), *actor, *token, database_time().label("read_at")).select_from(key)
    tokens = found.outerjoin(AccessToken, AccessToken.digest == key.c.value)
    return tokens.join(Actor, Actor.id == func.coalesce(AccessToken.actor_id, key.c.value))
