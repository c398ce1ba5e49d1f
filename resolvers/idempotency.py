"""Idempotency keys: a repeated request with the same key within 24 hours gets the first answer."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson
from sqlalchemy import ColumnElement, bindparam, delete, literal, select

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
from mainsheet.resolvers.sql.array_param import among
from mainsheet.resolvers.write import ACTOR_ID, IDS, Write, timed

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
        for name, (entity, missing) in NAMED.items():
            if ids := list(_ids(name, record.answer)):
                await self._check(entity, missing, ids)
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

    async def _check(self, entity: type[Any], missing: type[NotFound], ids: Sequence[str]) -> None:
        """Raise the error that is `missing` unless the caller sees all of these objects."""
        seen = select(entity.id).where(among(entity.id, IDS), _is_seen(self.write.caller, entity))
        found = set(await self.write.session.scalars(seen, self.write.parameters(ids)))
        for each in ids:
            if each not in found:
                raise missing(path=KEY_PATH, missing_id=each, hint=GONE)


def _is_seen(caller: Caller, entity: type[Any]) -> ColumnElement[bool]:
    """Whether the caller sees an object of the answer, if it exists."""
    if entity is Job:
        return visible(caller)
    return literal(entity is not Webhook or sees_all_jobs(caller))


def _ids(name: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids that the answer of a command, or those of a batch, have under this name."""
    if answer.get(name):
        yield answer[name]
    for each in answer.get("results", ()):
        yield from _ids(name, each["answer"])
