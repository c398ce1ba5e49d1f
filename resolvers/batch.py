"""Runs a command for many items: each in a transaction of its own, or all in one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import literal, select

from mainsheet.models import limits
from mainsheet.models.errors import Refused, UserError
from mainsheet.models.input_values import normal, value_problems
from mainsheet.models.unavailable import OutcomeUnknown, Unavailable
from mainsheet.resolvers.idempotency import KEY_PATH, IdempotencyKey
from mainsheet.resolvers.mutation import Call, Outcome
from mainsheet.resolvers.sql.snapshot import Read
from mainsheet.resolvers.write import Command, Plan, Run, Write, timed

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What became of one item: the command's answer, or the problems because of which it was refused."""

    answer: Item
    problems: Sequence[UserError]


@dataclass(frozen=True)
class Results:
    """The results in the order of the items, the problems of the batch, and a snapshot of the state afterwards."""

    items: Sequence[Result]
    problems: Sequence[UserError]
    read: Read


@dataclass(frozen=True)
class Batch:
    """Many items for the command of a call.

    `together` makes all changes or none. A dry run has one transaction too: an item may refer to an earlier one.
    """

    call: Call
    items: Sequence[Item]
    requests: Sequence[Item]
    together: bool = False

    @property
    def name(self) -> str:
        return str(self.call.command.items)

    async def perform(self) -> Results:
        if problems := list(self._own_problems()):
            return Results([], problems, Read.of(self.call.database, self.call.caller))
        if self.call.idempotency_key is not None and not self.together:
            claim = await self._in_a_transaction(_nothing, self.call.idempotency_key).perform()
            if claim.problems:
                return Results([], claim.problems, claim.read)
        return await (self._in_one() if self.together or self.call.dry_run else self._each())

    def _own_problems(self) -> Iterator[UserError]:
        yield from limits.BATCH.check(len(self.items), (self.name,))
        if self.call.idempotency_key is not None:
            yield from limits.IDEMPOTENCY_KEY.check(self.call.idempotency_key, KEY_PATH)
        yield from value_problems(normal({"message": self.call.values.get("message")}))

    async def _each(self) -> Results:
        """Run each item in a transaction of its own, with an idempotency key of its own."""
        plan = self.call.command.plan(self.items)
        results = {index: Result({}, self._at(index, problems)) for index, problems in plan.problems.items()}
        read, has_changed = Read.of(self.call.database, self.call.caller), False
        for index in plan.order:
            if index not in results:
                outcome = await self._item_outcome(index, has_changed=has_changed)
                results[index], read = Result(outcome.answer, self._at(index, outcome.problems)), outcome.read
                has_changed = has_changed or not outcome.problems
        return Results(self._in_order(results), [], read)

    async def _item_outcome(self, index: int, *, has_changed: bool) -> Outcome:
        """Raise `OutcomeUnknown` if the database fails after an earlier item was committed: something was changed."""
        try:
            return await self._item_call(index).perform()
        except Unavailable as error:
            if has_changed:
                raise OutcomeUnknown from error
            raise

    def _item_call(self, index: int) -> Call:
        key = self._key_of(index)
        return replace(self.call, values=self.items[index], request=self.requests[index], idempotency_key=key)

    def _key_of(self, index: int) -> str | None:
        """Return the idempotency key of an item. All items together have none but the batch's."""
        key = self.call.idempotency_key
        return None if key is None or self.together else sha256(f"{key}\n{index}".encode()).hexdigest()

    async def _in_one(self) -> Results:
        async def run(write: Write) -> Mapping[str, Any]:
            plan = self.call.command.plan(self.items)  # here, as `_at` changes its problems, and `run` may be repeated
            await write.first(timed(select(literal(1))))  # the time, which a refused item may not read
            results = {index: await self._part(write, index, plan) for index in plan.order}
            if self.together:
                write.problems += [problem for each in self._in_order(results) for problem in each.problems]
                write.refuse()
            return {"results": [vars(each) for each in self._in_order(results)]}

        # The problems of single items can't be stored with a key. They are in the answer of a dry run only.
        outcome = await self._in_a_transaction(run, self.call.idempotency_key if self.together else None).perform()
        if outcome.problems:
            return Results(self._refused(outcome.problems), outcome.problems, outcome.read)
        return Results([Result(**each) for each in outcome.answer["results"]], [], outcome.read)

    def _in_a_transaction(self, run: Run, key: str | None) -> Call:
        """Return a call whose request is the whole list, so that a key is refused with another list."""
        command, request = Command(self.call.command.name, self.call.command.scopes, run), {self.name: self.requests}
        return replace(self.call, command=command, values={}, request=request, idempotency_key=key)

    async def _part(self, write: Write, index: int, plan: Plan) -> Result:
        """Run one item in a savepoint. If it is refused, the others can go on."""
        part = Write(write.session, write.caller)
        try:
            async with write.session.begin_nested():
                part.problems += plan.problems.get(index, ())
                part.refuse()
                answer = await self._run(part, index)
        except (UserError, Refused) as error:
            return Result({}, self._at(index, [error] if isinstance(error, UserError) else error.problems))
        return Result(answer, [])

    async def _run(self, part: Write, index: int) -> Item:
        if (key := self._key_of(index)) is not None:
            earlier = await IdempotencyKey.of(part, key, self.call.command.name, self.requests[index]).earlier_answer()
            if earlier is not None:
                return earlier
        answer = await self.call.command.run(part, **normal(self.items[index]))
        part.refuse()
        part.session.add_all(part.events)
        await part.session.flush()
        return answer

    def _at(self, index: int, problems: Sequence[UserError]) -> Sequence[UserError]:
        """Let the problems' paths begin at the root of the batch's input, which has the idempotency key."""
        for problem in problems:
            if problem.path != KEY_PATH:
                problem.path = (self.name, str(index), *problem.path)
        return problems

    def _refused(self, problems: Sequence[UserError]) -> Sequence[Result]:
        starts = [(self.name, str(index)) for index in range(len(self.items))]
        return [Result({}, [each for each in problems if each.path[:2] == start]) for start in starts]

    def _in_order(self, results: Mapping[int, Result]) -> Sequence[Result]:
        return [results[index] for index in range(len(self.items))]


async def _nothing(_write: Write) -> Mapping[str, Any]:
    """Only claim the idempotency key."""
    return {}
