"""Finds trusted documents by id or hash, and caches them.

Both results are cached for some seconds: a document that was added or removed takes effect within that time in every
process, without a restart.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from aiohttp import web
from cachetools import LRUCache
from sqlalchemy import String, bindparam, select

from mainsheet.models.clock import database_time
from mainsheet.models.database import Database
from mainsheet.models.limits import storable
from mainsheet.models.trusted_document import LONGEST_ID, TrustedDocument
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.snapshot import rows_alone
from mainsheet.resolvers.sql.statement import Statement, View
from mainsheet.server.auth.last_use import LastUse
from mainsheet.server.operations.buckets import Buckets, Clock
from mainsheet.server.operations.budget import Budget
from mainsheet.server.trusted_documents.manifest import HASHED

FRESH_SECONDS = 10
MISSES_PER_MINUTE = 300  # of one caller; legitimate clients have few
MOST_CHARACTERS = 16 * 1024 * 1024  # of the cache, with a fixed weight for each entry and its id
WEIGHT = 500 + LONGEST_ID
USE_INTERVAL = timedelta(hours=1)  # how exact the last use is


@dataclass(slots=True)
class Entry:
    text: str | None  # None if there is no such document
    looked_up: float


class TrustedDocuments:
    def __init__(
        self, database: Database, budget: Budget, clock: Clock = monotonic, capacity: int = MOST_CHARACTERS
    ) -> None:
        self._database = database
        self._budget = budget
        self._clock = clock
        self._entries: LRUCache[str, Entry] = LRUCache(capacity, _weight)
        self._misses = Buckets(MISSES_PER_MINUTE, clock)
        self.last_use = LastUse(database, TrustedDocument, USE_INTERVAL)

    async def closing(self, _app: web.Application) -> AsyncIterator[None]:
        """Write the last uses before the application ends."""
        yield
        await self.last_use.close()

    async def text(self, caller: Caller, identifier: str, *, is_guess: bool = True) -> str | None:
        """Return the text of the document with this id or hash, or None. With the prefix `sha256:`, it is the hash.

        The statement's time is charged to the caller. Raises `RateLimited` if a budget is used up, or if the caller
        guessed too many that don't exist. `is_guess` is false if the caller may run any document.
        """
        if len(identifier) > LONGEST_ID or not storable(identifier):
            if is_guess:
                self._refuse_guesser(caller)
                self._misses.of(caller.actor_id).charge(1)
            return None  # not cached: the keys would be as long as a request
        entry = self._entries.get(identifier)
        if entry is not None and self._clock() - entry.looked_up < FRESH_SECONDS:
            return entry.text
        if entry is not None:
            text = await self._again(caller, identifier, entry)
        else:
            text = await (self._first if is_guess else self._looked_up)(caller, identifier)
        self._entries[identifier] = Entry(text, self._clock())
        return text

    def _refuse_guesser(self, caller: Caller) -> None:
        if self._misses.left(caller.actor_id) >= 1:
            return
        seconds = self._misses.of(caller.actor_id).seconds_until(1)
        message = "You asked for too many documents that this server doesn't have."
        raise self._budget.refusal("documents", message, caller, max(1, round(seconds)))

    async def _first(self, caller: Caller, identifier: str) -> str | None:
        """Look up a document that isn't in the cache. Its absence is charged to the caller."""
        self._refuse_guesser(caller)
        text = await self._looked_up(caller, identifier)
        if text is None:
            self._misses.of(caller.actor_id).charge(1)
        return text

    async def _again(self, caller: Caller, identifier: str, entry: Entry) -> str | None:
        """Look up a document whose entry is old. Concurrent requests use the entry meanwhile.

        If that fails, the entry stays old: the document may have been removed.
        """
        before, entry.looked_up = entry.looked_up, self._clock()
        try:
            return await self._looked_up(caller, identifier)
        except BaseException:
            entry.looked_up = before
            raise

    async def _looked_up(self, caller: Caller, identifier: str) -> str | None:
        values = {"id": identifier, "hash": identifier.removeprefix(HASHED)}
        with self._budget.charged(caller):
            rows = await rows_alone(self._database, _named, **values)
        # A document is found by its own hash rather than another one that has this hash as its id.
        row: Any = max(rows, key=lambda each: each.hash == values["hash"], default=None)
        if row is None:
            return None
        self.last_use.note(row, row.read_at)
        return str(row.text)


def _weight(entry: Entry) -> int:
    return WEIGHT + len(entry.text or "")


def _named(_view: View) -> Statement:
    columns = (TrustedDocument.id, TrustedDocument.hash, TrustedDocument.text, TrustedDocument.last_used_at)
    has_id = TrustedDocument.id == bindparam("id", type_=String())
    has_hash = TrustedDocument.hash == bindparam("hash", type_=String())
    return select(*columns, database_time().label("read_at")).where(has_id | has_hash)
