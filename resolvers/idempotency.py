"""The work of an idempotency key is done once: a replay within 24 hours gets the first answer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson
from sqlalchemy import delete, exists, literal, select

from mainsheet.models import limits
from mainsheet.models.errors import IdempotencyKeyReused, JobNotFound
from mainsheet.models.idempotency import KEPT, IdempotencyRecord
from mainsheet.models.job import Job
from mainsheet.resolvers.permissions import visible
from mainsheet.resolvers.write import Write

# The way in which inputs are made comparable. A record that was written in another way can't be compared: its key alone
# decides. To refuse a rightful replay after an upgrade, or to do its work twice, would be worse than to miss a misuse.
SCHEME = "2:"
DIGEST_LENGTH = 64  # of the column
GONE = " The first answer to this idempotency key named it; it has been deleted or hidden since. Choose another key."


@dataclass(frozen=True)
class IdempotencyKey:
    """A member's key in the transaction of one call; `digest` says which input it belongs to."""

    write: Write
    key: str
    digest: str

    @classmethod
    def of(cls, write: Write, key: str, command: str, request: Mapping[str, Any]) -> Self:
        """Return the key; if it breaks its limits, that is added to the problems. `request` has GraphQL names."""
        write.problems += limits.IDEMPOTENCY_KEY.check(key, ("idempotency_key",))
        canonical = orjson.dumps([command, request], option=orjson.OPT_SORT_KEYS)
        return cls(write, key, (SCHEME + hashlib.sha256(canonical).hexdigest())[:DIGEST_LENGTH])

    async def earlier_answer(self) -> Mapping[str, Any] | None:
        """Return the answer of the first call with this key, if there was one in the last 24 hours.

        With another input that is a problem, and no answer. Raises `JobNotFound` if the caller can no longer see the
        job of the answer.
        """
        record = await self._record()
        if record is None:
            return None
        if record.input_digest.startswith(SCHEME) and record.input_digest != self.digest:
            self.write.problems.append(IdempotencyKeyReused())
            return None
        await self._check_job(record.answer.get("job_id"))
        return record.answer

    async def claim(self) -> IdempotencyRecord:
        """Add the record; a concurrent call with the same key waits here until this transaction ends."""
        session, own = self.write.session, IdempotencyRecord.member_id == self.write.member_id
        expired = IdempotencyRecord.created_at <= self.write.at - KEPT
        await session.execute(delete(IdempotencyRecord).where(own, expired))
        record = IdempotencyRecord(
            organization_id=self.write.caller.organization_id,
            member_id=self.write.member_id,
            key=self.key,
            input_digest=self.digest,
            answer={},
            created_at=self.write.at,
        )
        session.add(record)
        await session.flush()
        return record

    async def _record(self) -> IdempotencyRecord | None:
        """Read the clock as well, also where there is no record: its age needs it."""
        one = select(literal(1)).subquery()
        own = (IdempotencyRecord.member_id == self.write.member_id) & (IdempotencyRecord.key == self.key)
        row = await self.write.first(select(IdempotencyRecord).select_from(one).outerjoin(IdempotencyRecord, own))
        record: IdempotencyRecord | None = None if row is None else row[0]
        return record if record is not None and record.created_at > self.write.at - KEPT else None

    async def _check_job(self, job_id: str | None) -> None:
        if job_id is None:
            return
        found = exists().where(Job.id == job_id, visible(self.write.caller))
        if not await self.write.session.scalar(select(found)):
            raise JobNotFound(path=("idempotency_key",), missing_id=job_id, hint=GONE)
