"""One short write transaction per mutation: try, keep or take back, try again where the database says so."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from models import limits
from models.database import Database
from models.edit import Edit
from models.errors import BadInput, Forbidden, IdempotencyKeyReused, JobNotFound, Refused, UserError
from models.failures import failure_of, failures_named
from models.idempotency import KEPT, IdempotencyRecord
from models.job import Job
from models.job_input import normal
from models.roles import JobPermission
from models.unavailable import DatabaseDown, OutcomeUnknown
from resolvers.caller import Caller
from resolvers.permissions import granted, roles_in_jobs, visible
from resolvers.read import Read, is_invalid_text

ATTEMPTS = 10
BACKOFF_SECONDS = 0.01

# A twin that was faster (unique_violation), or a row that went away meanwhile (foreign_key_violation), is seen by the
# next attempt, which then says so in the domain's words.
RETRIED_ON_POSTGRESQL = {"40001", "40P01", "23505", "23503"}
RETRIED_ON_SQLITE = {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"}

_chance = SystemRandom()


@dataclass(frozen=True)
class Write:
    """A transaction, for whom, and the edit whose events it keeps."""

    session: AsyncSession
    caller: Caller
    edit: Edit

    async def job(self, job_id: str, permission: JobPermission) -> Job:
        """Return the job, locked; raises `JobNotFound` if the caller can't see it, `Forbidden` without the right."""
        # One writer at a time; only who deletes keeps off new runs, and other jobs that would depend on this one too:
        # two jobs that begin to wait for each other would lock each other out.
        shared = permission is not JobPermission.DELETE
        found = select(Job).where(Job.id == job_id, visible(self.caller)).with_for_update(of=Job, key_share=shared)
        job = await self.session.scalar(found) if limits.storable(job_id) else None
        if job is None:
            raise JobNotFound(asked=job_id)
        roles = (await self.session.execute(roles_in_jobs(self.caller, [job_id]))).all()
        allowed = granted(self.caller, [row.role for row in roles])
        if JobPermission.VIEW not in allowed:  # the job was hidden while this waited for the lock
            raise JobNotFound(asked=job_id)
        if permission not in allowed:
            raise Forbidden(missing_permission=permission)
        self.edit.at = datetime.now(UTC)  # who came before may have changed the job later than this one began
        return job


Answer = Mapping[str, Any]
Change = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True)
class Outcome:
    """What a mutation answers: rows' ids by name, or what is wrong; `read` sees the state after it."""

    answer: Answer
    problems: Sequence[UserError]
    read: Read


@dataclass(frozen=True)
class Mutation:
    """A change that a caller asks for, with the input's values by name."""

    database: Database
    caller: Caller
    change: Change
    values: Mapping[str, Any]
    dry_run: bool = False
    idempotency_key: str | None = None

    async def perform(self) -> Outcome:
        """Do it in one transaction, again where it met another one.

        Raises `Unavailable` where the database fails, of which only `OutcomeUnknown` may have changed something.
        """
        with failures_named():
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await self._attempt()
                except DBAPIError as error:
                    if is_invalid_text(error):
                        raise BadInput("A text may hold neither U+0000 nor a lone surrogate.") from error
                    if attempt == ATTEMPTS or not _is_worth_another_try(error):
                        raise
                    await asyncio.sleep(_chance.uniform(0, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("unreachable")

    async def _attempt(self) -> Outcome:
        session = AsyncSession(self.database.writes, expire_on_commit=False, autoflush=False)
        read = Read.of(self.database, self.caller)
        try:
            answer = await self._run(Write(session, self.caller, Edit(self.caller.member_id, datetime.now(UTC))))
            await session.flush()
            if self.dry_run:
                read = Read.inside(self.database, session, self.caller)
            else:
                await _commit(session)
        except (UserError, Refused) as error:
            await session.close()
            return Outcome({}, [error] if isinstance(error, UserError) else error.problems, read)
        except BaseException as error:
            await _abandon(session, error)
            raise
        if not self.dry_run:
            await session.close()
        return Outcome(answer, [], read)

    async def _run(self, write: Write) -> Answer:
        if self.idempotency_key is None:
            return await self._change(write)
        write.edit.problems += limits.IDEMPOTENCY_KEY.check(self.idempotency_key, ("idempotency_key",))
        before = None if write.edit.problems else await self._recorded_before(write)
        if before is not None and before.input_digest == self._input_digest:
            return before.answer
        if before is not None:
            write.edit.problems.append(IdempotencyKeyReused())
        if write.edit.problems:
            return await self._change(write)  # which refuses, and tells what else is wrong with the input
        return await self._recorded(write, self.idempotency_key)

    async def _recorded(self, write: Write, key: str) -> Answer:
        record = self._record(write, key)
        write.session.add(record)
        await write.session.flush()  # a twin waits here until this one ends, before it looks at anything else
        record.answer = dict(await self._change(write))
        return record.answer

    async def _change(self, write: Write) -> Answer:
        answer = await self.change(write, **normal(self.values))
        write.edit.problems.refuse()
        write.session.add_all(write.edit.events)
        return answer

    async def _recorded_before(self, write: Write) -> IdempotencyRecord | None:
        oldest = write.edit.at - KEPT
        await write.session.execute(
            delete(IdempotencyRecord).where(
                IdempotencyRecord.member_id == self.caller.member_id, IdempotencyRecord.created_at <= oldest
            )
        )
        return await write.session.get(IdempotencyRecord, (self.caller.member_id, self.idempotency_key))

    def _record(self, write: Write, key: str) -> IdempotencyRecord:
        return IdempotencyRecord(
            organization_id=self.caller.organization_id,
            member_id=self.caller.member_id,
            key=key,
            input_digest=self._input_digest,
            answer={},
            created_at=write.edit.at,
        )

    @property
    def _input_digest(self) -> str:
        asked = [self.change.__qualname__, self.change.__module__, self.values]
        return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def _commit(session: AsyncSession) -> None:
    """Raise `OutcomeUnknown` if the connection is lost before the database says that it is done, or isn't."""
    try:
        await session.commit()
    except Exception as error:
        if isinstance(failure_of(error), DatabaseDown):
            raise OutcomeUnknown from error
        raise


async def _abandon(session: AsyncSession, error: BaseException) -> None:
    """Take the transaction back; on a connection that fails or is busy with a cancelled statement, by ending it."""
    if not isinstance(error, Exception) or isinstance(failure_of(error), DatabaseDown | OutcomeUnknown):
        await session.invalidate()
    else:
        await session.close()


def _is_worth_another_try(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in RETRIED_ON_POSTGRESQL:
        return True
    name = getattr(error.orig, "sqlite_errorname", None)
    return name in RETRIED_ON_SQLITE
