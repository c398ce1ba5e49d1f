"""Idempotency keys: a repeated request with the same key within 24 hours gets the first answer."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson
from sqlalchemy import ColumnElement, bindparam, delete, exists, literal, select

from mainsheet.models import limits
from mainsheet.models.cluster import Cluster
from mainsheet.models.errors import (
    ClusterNotFound,
    IdempotencyKeyReused,
    JobNotFound,
    NotFound,
    SavedQueryNotFound,
    TeamNotFound,
)
from mainsheet.models.idempotency import KEPT, IdempotencyRecord
from mainsheet.models.job import Job
from mainsheet.models.job_run import JobRun
from mainsheet.models.run_errors import RunNotFound
from mainsheet.models.saved_query import SavedQuery
from mainsheet.models.team import Team
from mainsheet.models.webhook import Webhook
from mainsheet.models.webhook_errors import WebhookNotFound
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.permissions import sees_all_jobs, visible
from mainsheet.resolvers.write import ACTOR_ID, Write, timed

# The version of the digest. A record with another version can't be compared, so only its key is checked: refusing a
# correct replay after an upgrade, or repeating its change, would be worse than not detecting a misused key.
SCHEME = "2:"
DIGEST_LENGTH = 64  # of the column
KEY_PATH = ("idempotency_key",)
GONE = " The first answer to this idempotency key named it; it has been deleted or hidden since. Choose another key."
# What an answer names that can be deleted or hidden later. A run is named after its job, by which it is hidden.
NAMED: Mapping[str, tuple[type[Any], type[NotFound]]] = {
    "job_id": (Job, JobNotFound),
    "cloned_job_id": (Job, JobNotFound),
    "run_id": (JobRun, RunNotFound),
    "team_id": (Team, TeamNotFound),
    "cluster_id": (Cluster, ClusterNotFound),
    "saved_query_id": (SavedQuery, SavedQueryNotFound),
    "webhook_id": (Webhook, WebhookNotFound),
}

# A row with the time even if there is no such record.
RECORD = timed(
    select(IdempotencyRecord)
    .select_from(select(literal(1)).subquery())
    .outerjoin(
        IdempotencyRecord, (IdempotencyRecord.actor_id == ACTOR_ID) & (IdempotencyRecord.key == bindparam("key"))
    )
)


@dataclass(frozen=True)
class IdempotencyKey:
    """An actor's key in the transaction of one call. `digest` identifies the input."""

    write: Write
    key: str
    digest: str

    @classmethod
    def of(cls, write: Write, key: str, command: str, request: Mapping[str, Any]) -> Self:
        """Return the key, and add a problem if it exceeds its limits. `request` has GraphQL names."""
        write.problems += limits.IDEMPOTENCY_KEY.check(key, KEY_PATH)
        canonical = orjson.dumps([command, request], option=orjson.OPT_SORT_KEYS)
        return cls(write, key, (SCHEME + hashlib.sha256(canonical).hexdigest())[:DIGEST_LENGTH])

    async def earlier_answer(self) -> Mapping[str, Any] | None:
        """Return the answer of the first call with this key, if there was one in the last 24 hours.

        For another input, adds a problem and returns None. Raises `NotFound` if the caller can no longer see an object
        of the answer.
        """
        record = await self._record()
        if record is None:
            return None
        if record.input_digest.startswith(SCHEME) and record.input_digest != self.digest:
            self.write.problems.append(IdempotencyKeyReused())
            return None
        for name, id_ in _named(record.answer):
            await self._check(name, id_)
        return {name: tuple(each) if isinstance(each, list) else each for name, each in record.answer.items()}

    async def claim(self) -> IdempotencyRecord:
        """Add the record; a concurrent call with the same key waits here until this transaction ends.

        An expired record is replaced. Those of other keys stay: concurrent calls would wait for each other's deletions.
        """
        session = self.write.session
        own = (IdempotencyRecord.actor_id == self.write.actor_id) & (IdempotencyRecord.key == self.key)
        expired = IdempotencyRecord.created_at <= self.write.at - KEPT
        await session.execute(delete(IdempotencyRecord).where(own, expired))
        record = IdempotencyRecord(
            organization_id=self.write.caller.organization_id,
            actor_id=self.write.actor_id,
            key=self.key,
            input_digest=self.digest,
            answer={},
            created_at=self.write.at,
        )
        session.add(record)
        await session.flush()
        return record

    async def _record(self) -> IdempotencyRecord | None:
        """Return the record, unless it has expired. Reads the database's clock in the same statement."""
        row = await self.write.first(RECORD, {"actor_id": self.write.actor_id, "key": self.key})
        record: IdempotencyRecord | None = None if row is None else row[0]
        return record if record is not None and record.created_at > self.write.at - KEPT else None

    async def _check(self, name: str, id_: str) -> None:
        """Raise `NotFound` unless the caller sees the object that the answer has under this name."""
        entity, missing = NAMED[name]
        found = exists().where(entity.id == id_, _is_seen(self.write.caller, entity))
        if not await self.write.session.scalar(select(found)):
            raise missing(path=KEY_PATH, missing_id=id_, hint=GONE)


def _is_seen(caller: Caller, entity: type[Any]) -> ColumnElement[bool]:
    """Whether the caller sees an object of the answer, if it exists."""
    if entity is Job:
        return visible(caller)
    return literal(entity is not Webhook or sees_all_jobs(caller))


def _named(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names and ids of the objects in the answer of a command, or in those of a batch."""
    yield from ((name, answer[name]) for name in NAMED if answer.get(name))
    for each in answer.get("results", ()):
        yield from _named(each["answer"])
