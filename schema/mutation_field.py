"""Declares the field of a mutation, in one line each."""

from dataclasses import fields
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from mainsheet.models.provisioning_errors import ScopeMissing
from mainsheet.models.roles import AccessScope
from mainsheet.resolvers.mutation import Call
from mainsheet.resolvers.write import Command
from mainsheet.schema import payloads
from mainsheet.schema.connection import described
from mainsheet.schema.context import Context
from mainsheet.schema.plain import canonical, plain
from mainsheet.schema.user_error import Problem

ABANDONED = "Not begun: the client left before."
NOT_COMPARED = {"dryRun", "idempotencyKey"}


def mutation(command: Command, input_type: type, payload: type[payloads.Payload], description: str) -> Any:
    """Declare a mutation. The command gets the input's values by name, and the payload is read afterwards."""

    async def resolve(root: Any, info: Info[Context, Any], input: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        context = info.context
        if context.is_abandoned:  # each field is a transaction: those before this one are kept
            raise GraphQLError(ABANDONED)
        if command.scope not in context.caller.scopes:
            return payload_type(user_errors=[Problem(scope_missing(command.scope))])
        await context.close()  # don't keep the last field's connection while this command waits for a lock
        values = plain(input)
        options = {name: values.pop(name) for name in ("dry_run", "idempotency_key") if name in values}
        request = {name: each for name, each in canonical(input).items() if name not in NOT_COMPARED}
        call = Call(context.database, context.caller, command, values, request, **options)
        outcome = await call.perform()
        await context.switch_to(outcome.read)
        # A refused payload shows the objects that the input names.
        named = {name: values[name] for name in keys & values.keys()}
        return payload_type(**{**named, **outcome.answer}, user_errors=[Problem(each) for each in outcome.problems])

    payload_type = payloads.payload_type(payload, command.name)
    keys = {each.name for each in fields(payload_type)}
    resolve.__annotations__["input"] = Annotated[input_type, described("The input of the mutation.")]
    return strawberry.mutation(resolver=resolve, graphql_type=payload_type, description=description)


def scope_missing(scope: AccessScope) -> ScopeMissing:
    return ScopeMissing(missing_scope=scope, reason=f"Your token lacks the scope {scope}, which this mutation needs.")
