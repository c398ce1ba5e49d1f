"""Runs commands. For each: lock rows, apply the model's rules, record events, commit."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models.database import Database
from mainsheet.models.errors import BadInput, Refused, UserError
from mainsheet.models.failures import failure_of, failures_named, is_collision, is_invalid_text
from mainsheet.models.input_values import normal
from mainsheet.models.unavailable import DatabaseDown, OutcomeUnknown
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.idempotency import IdempotencyKey
from mainsheet.resolvers.sql.overlay import Recorder
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.write import NOT_READ, NOT_STORED, Command, Write

ATTEMPTS = 10
BACKOFF_SECONDS = 0.01

_chance = SystemRandom()


@dataclass(frozen=True)
class Outcome:
    """A command's answer (empty if it was refused), its problems, and a snapshot of the state afterwards."""

    answer: Mapping[str, Any]
    problems: Sequence[UserError]
    read: Read


@dataclass(frozen=True)
class Call:
    """One call of a command. `request` is its input by GraphQL names, which the idempotency key compares."""

    database: Database
    caller: Caller
    command: Command
    values: Mapping[str, Any]
    request: Mapping[str, Any]
    dry_run: bool = False
    idempotency_key: str | None = None

    async def perform(self) -> Outcome:
        """Run the command in one transaction, and again if it collided with a concurrent one.

        Raises `Unavailable` if the database fails. Only after `OutcomeUnknown` the change may have been made.
        """
        begun, ended = time.perf_counter(), "failed"
        problems: Sequence[UserError] = ()
        try:
            with failures_named():
                outcome = await self._retried()
            problems = outcome.problems
            ended = "refused" if problems else "dry_run" if self.dry_run else "done"
        finally:
            seconds = time.perf_counter() - begun
            self.database.instrumentation.command(self.command.name, ended, seconds, problems)
        return outcome

    async def _retried(self) -> Outcome:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._attempt()
            except DBAPIError as error:
                if is_invalid_text(error):
                    raise BadInput("A text may hold neither U+0000 nor a lone surrogate.") from error
                if attempt == ATTEMPTS or not is_collision(error):
                    raise
                await asyncio.sleep(_chance.uniform(0, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("unreachable")

    async def _attempt(self) -> Outcome:
        await asyncio.sleep(0)  # let a queued caller take the connection that this caller's last mutation gave back
        session = AsyncSession(self.database.writes, expire_on_commit=False, autoflush=False)
        try:
            outcome = await self._outcome(session)
        except (UserError, Refused) as error:
            problems = [error] if isinstance(error, UserError) else error.problems
            outcome = Outcome({}, problems, Read.of(self.database, self.caller))
        except BaseException as error:
            await _abandon(session, error)
            raise
        await session.close()
        return outcome

    async def _outcome(self, session: AsyncSession) -> Outcome:
        """Commit. A dry run is rolled back later instead; its answer is read without its locks."""
        recorder = Recorder(session) if self.dry_run else None
        answer = await self._answer(Write(session, self.caller))
        await session.flush()
        if recorder is not None:
            return Outcome(answer, [], Read.of(self.database, self.caller, recorder.overlay()))
        await _commit(session)
        return Outcome(answer, [], Read.of(self.database, self.caller))

    async def _answer(self, write: Write) -> Mapping[str, Any]:
        if self.idempotency_key is None:
            return await self._run(write)
        key = IdempotencyKey.of(write, self.idempotency_key, self.command.name, self.request)
        answer = None if write.problems else await key.earlier_answer()
        if answer is not None:
            return answer
        if write.problems:
            return await self._run(write)  # it raises, and reports the other problems of the input, too
        record = await key.claim()
        answer = await self._run(write)
        record.answer = {name: each for name, each in answer.items() if name not in NOT_STORED}
        return answer

    async def _run(self, write: Write) -> Mapping[str, Any]:
        answer = await self.command.run(write, **normal(self.values))
        write.refuse()
        if write.at is NOT_READ:
            raise RuntimeError(f"{self.command.name} read no time of the database's.")
        write.session.add_all(write.events)
        return answer


async def _commit(session: AsyncSession) -> None:
    """Raise `OutcomeUnknown` if the connection is lost before the database confirms or refuses."""
    try:
        await session.commit()
    except Exception as error:
        if isinstance(failure_of(error), DatabaseDown):
            raise OutcomeUnknown from error
        raise


async def _abandon(session: AsyncSession, error: BaseException) -> None:
    """Roll back; close a connection that fails or is busy with a cancelled statement."""
    if not isinstance(error, Exception) or isinstance(failure_of(error), DatabaseDown | OutcomeUnknown):
        await session.invalidate()
    else:
        await session.close()
