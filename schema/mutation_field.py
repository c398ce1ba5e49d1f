"""Declares the field of a mutation, in one line each."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from mainsheet.models.provisioning_errors import ScopeMissing
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.batch import Batch
from mainsheet.resolvers.mutation import Call
from mainsheet.resolvers.write import Command
from mainsheet.schema import payloads
from mainsheet.schema.connection import described
from mainsheet.schema.context import Context
from mainsheet.schema.document import ApplyMode
from mainsheet.schema.plain import canonical, plain
from mainsheet.schema.relation import NO_WEIGHT
from mainsheet.schema.user_error import Problem
from mainsheet.schema.weight import BATCH

ABANDONED = "Not begun: the client left before."
UNNAMED = {"job_id": None, "run_id": None}  # instead of the objects that a refused item names
NOT_COMPARED = {"dryRun", "idempotencyKey"}


def mutation(command: Command, input_type: type, payload: type[payloads.Payload], description: str) -> Any:
    """Declare a mutation. The command gets the input's values by name, and the payload is read afterwards."""

    async def resolve(root: Any, info: Info[Context, Any], input: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        context, (values, options, request) = await _begun(info, input)
        call = Call(context.database, context.caller, command, values, request, **options)
        outcome = await call.perform()
        await context.switch_to(outcome.read, is_refused=bool(outcome.problems))
        # A refused payload shows the objects that the input names, to those who may read.
        named = {name: values[name] for name in keys & values.keys()} if context.may_read else {}
        return payload_type(**{**named, **outcome.answer}, user_errors=[Problem(each) for each in outcome.problems])

    payload_type = payloads.payload_type(payload, command.name)
    keys = {each.name for each in fields(payload_type)}
    return _declared(command, resolve, input_type, payload_type, description)


def batch(
    command: Command, input_type: type, payload: type[payloads.Payload], result: Callable[..., Any], description: str
) -> Any:
    """Declare a mutation of many items. `result` makes the result of an item from its values, answer and problems."""

    async def resolve(root: Any, info: Info[Context, Any], input: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        context, (values, options, request) = await _begun(info, input)
        items, requests = values.pop(command.items), request.pop(command.items)
        together = values.pop("mode", None) is ApplyMode.ALL_OR_NOTHING
        call = Call(context.database, context.caller, command, values, request, **options)
        done = await Batch(
            call,
            [{**values, **each} for each in items],
            [{**request, "item": each} for each in requests],
            together=together,
        ).perform()
        await context.switch_to(done.read, is_refused=all(each.problems for each in done.items))
        may_read = AccessScope.READ in context.caller.scopes
        shown = [
            result(
                item if may_read or not each.problems else {**item, **UNNAMED},
                each.answer,
                [Problem(problem) for problem in each.problems],
            )
            for item, each in zip(items, done.items, strict=False)  # none if the batch itself is invalid
        ]
        return payload_type(results=shown, user_errors=[Problem(each) for each in done.problems])

    payload_type = payloads.payload_type(payload, command.name)
    return _declared(command, resolve, input_type, payload_type, description, metadata=BATCH)


async def _begun(info: Info[Context, Any], input: Any) -> tuple[Context, tuple[Any, Any, Any]]:
    """Return the context, and the input's values, options, and values to compare with those of an idempotency key."""
    context = info.context
    if context.is_abandoned:  # each field is a transaction: those before this one are kept
        raise GraphQLError(ABANDONED)
    await context.close()  # don't keep the last field's connection while this command waits for a lock
    values = plain(input)
    options = {name: values.pop(name) for name in ("dry_run", "idempotency_key") if name in values}
    request = {name: each for name, each in canonical(input).items() if name not in NOT_COMPARED}
    return context, (values, options, request)


def _declared(
    command: Command,
    resolve: Any,
    input_type: type,
    payload_type: Any,
    description: str,
    *,
    metadata: Mapping[str, Any] = NO_WEIGHT,
) -> Any:
    """Declare the field. A caller whose token lacks the command's scope is refused, and shown nothing."""

    async def checked(root: Any, info: Info[Context, Any], input: Any) -> Any:
        if not info.context.caller.scopes.isdisjoint(command.scopes):
            return await resolve(root, info, input)
        missing = command.scopes[0]
        reason = f"Your token lacks the scope {missing}, which this mutation needs."
        problem = ScopeMissing(missing_scope=missing, reason=reason)
        info.context.database.instrumentation.command(command.name, "refused", 0, [problem])
        empty: dict[str, Any] = {"results": []} if command.items else {}
        return payload_type(**empty, user_errors=[Problem(problem)])

    checked.__annotations__["input"] = Annotated[input_type, described("The input of the mutation.")]
    return strawberry.mutation(resolver=checked, graphql_type=payload_type, description=description, metadata=metadata)
