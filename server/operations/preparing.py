"""Prepares the operation of a request at its caller's expense."""

from mainsheet.resolvers.caller import Caller
from mainsheet.server.errors import InvalidOperation
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.operations.budget import Budget
from mainsheet.server.operations.operation_store import Operation, OperationStore


async def prepared(operations: OperationStore, budget: Budget, caller: Caller, request: GraphQLRequest) -> Operation:
    """Return the request's operation. Raises `RateLimited` if a budget is used up, or what `OperationStore.get` raises.

    New long documents are charged for, and short ones that are invalid, for which as much time may be needed.
    """
    text, name = request.query, request.operation_name
    is_long = operations.is_new_and_long(text, name)
    if is_long:
        budget.charge_document(caller, text)
    try:
        return await operations.get(text, name, request.hash, caller.key)
    except InvalidOperation:
        if not is_long:
            budget.charge_invalid(caller)
        raise
