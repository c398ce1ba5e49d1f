"""GraphQL over HTTP: authenticate, parse the request, execute, respond.

Our own handler and not Strawberry's: that one would need most of its methods replaced (docs/decisions).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import hdrs, web
from graphql import ExecutionResult, OperationType

from mainsheet.executor import Request
from mainsheet.models.instrumentation import Instrumentation, OperationRecord
from mainsheet.models.replicas import Replicas
from mainsheet.resolvers.caller import Caller
from mainsheet.server.auth.authentication import Authenticator
from mainsheet.server.errors import InvalidOperation, RequestError, unauthenticated
from mainsheet.server.exchange import EXCHANGE, Exchange
from mainsheet.server.http.accept import combined
from mainsheet.server.http.body import BodyLimits
from mainsheet.server.http.client_address import group
from mainsheet.server.http.consistency import Consistency
from mainsheet.server.http.request import GraphQLRequest, answer_type, authorization_of, prefers_html, read
from mainsheet.server.http.responses import answer_page, respond
from mainsheet.server.http.schema_cache import SchemaCache
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.sse import EventStream, prefers_events
from mainsheet.server.observe.log_fields import identify
from mainsheet.server.observe.recording import Recording, note_errors, record_of
from mainsheet.server.observe.trace import Trace, is_wanted
from mainsheet.server.operations.budget import Budget, Spending
from mainsheet.server.operations.execution import Closable, Executions
from mainsheet.server.operations.gate import Gate
from mainsheet.server.operations.introspection import read_introspection
from mainsheet.server.operations.operation_store import Operation, OperationStore
from mainsheet.server.operations.preparing import prepared
from mainsheet.server.operations.prices import price_of
from mainsheet.server.operations.public_budget import anybody
from mainsheet.server.trusted_documents.policy import DocumentPolicy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DOCUMENT = {"query", "documentId", "extensions"}  # the parameters of a request that runs something
METHODS = (hdrs.METH_GET, hdrs.METH_POST)


@dataclass(frozen=True)
class GraphQLEndpoint:
    authenticator: Authenticator
    operations: OperationStore
    documents: DocumentPolicy
    body_limits: BodyLimits
    executions: Executions
    budget: Budget
    public_budget: Budget
    gate: Gate
    open_context: Callable[[Caller], Closable]
    instrumentation: Instrumentation
    max_answer_bytes: int
    schema_cache: SchemaCache
    replicas: Replicas
    public_introspection: bool = False
    playground: Handler = answer_page
    allows_traces: bool = False
    event_stream: EventStream | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method not in METHODS:
            raise _not_allowed(f"The method {request.method} isn't allowed here.", METHODS)
        if _wants_page(request):
            return await self.playground(request)
        authorization = authorization_of(request)
        protocol = protocol_of(request)
        await protocol.wait_for_turn(authorization)
        if protocol.place is None:  # else it was let in when it arrived
            self.gate.check(authorization)
        if self.event_stream and prefers_events(combined(request, hdrs.ACCEPT)):
            return await self._stream(request, authorization, self.event_stream)
        return await self._single_answer(request, authorization)

    async def _single_answer(self, request: web.Request, authorization: str | None) -> web.StreamResponse:
        if debt := self.gate.debt(authorization):
            raise debt
        media_type = answer_type(combined(request, hdrs.ACCEPT))
        exchange = request[EXCHANGE]
        caller = await self._caller(exchange, authorization)
        if caller is None and (authorization is not None or not self.public_introspection):
            raise unauthenticated(authorization)
        graphql_request = await (read if caller else read_introspection)(request, self.body_limits)
        protocol_of(request).leave_place()
        try:
            result = await self._run(request, exchange, caller, graphql_request)
        except InvalidOperation as invalid:
            result = ExecutionResult(None, invalid.errors)
        return await respond(request, result, media_type, self.max_answer_bytes)

    async def _stream(
        self, request: web.Request, authorization: str | None, event_stream: EventStream
    ) -> web.StreamResponse:
        exchange = request[EXCHANGE]
        caller = await self._caller(exchange, authorization)
        if caller is None:
            raise unauthenticated(authorization)
        graphql_request = await read(request, self.body_limits)
        protocol_of(request).leave_place()
        refused = None
        try:
            graphql_request = await self.documents.resolved(caller, graphql_request)
            await self._operation(request, exchange, caller, self.budget, graphql_request)
        except InvalidOperation as invalid:  # it becomes a result of the stream
            refused = invalid
        with event_stream.validity.watched(authorization, caller) as ended:
            return await event_stream.answer(request, caller, refused or graphql_request, ended)

    async def _caller(self, exchange: Exchange, authorization: str | None) -> Caller | None:
        caller = await self.authenticator.caller(authorization, group(exchange.client))
        if caller is None:
            self.gate.forget(authorization)
        else:
            identify(caller)
            self.gate.remember(authorization, caller)
        return caller

    async def _run(
        self, request: web.Request, exchange: Exchange, caller: Caller | None, graphql_request: GraphQLRequest
    ) -> ExecutionResult:
        if caller:
            graphql_request = await self.documents.resolved(caller, graphql_request)
        payer, budget = caller or anybody(group(exchange.client)), self.budget if caller else self.public_budget
        operation = await self._operation(request, exchange, payer, budget, graphql_request)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise RequestError(HTTPStatus.BAD_REQUEST, "Subscriptions can't be run by a single request.")
        price, record = price_of(operation, graphql_request.variables), record_of(operation)
        self.schema_cache.check(request, graphql_request, operation)
        exchange.spending = spending = budget.spending(payer, price, record)
        if caller is None:  # introspection calls no resolver
            record.name = ""  # metrics keep names, which anybody could use up
            ready = Request(operation.prepared, graphql_request.variables, turns=payer.key)
            return await self._single(exchange, record, ready, spending)
        exchange.consistency = consistency = Consistency.of(
            request, operation.kind, self.replicas, self.instrumentation
        )
        context = self.open_context(caller)
        if consistency.replica:
            context.read_from(consistency.replica)
        ready = Request(operation.prepared, graphql_request.variables, context, caller, turns=caller.key)
        is_traced = self.allows_traces and is_wanted(request)
        trace = Trace(operation, spending) if is_traced else None
        result = await self._single(exchange, record, ready, spending, trace)
        await consistency.settle(self.replicas)
        return result

    async def _operation(
        self,
        request: web.Request,
        exchange: Exchange,
        caller: Caller,
        budget: Budget,
        graphql_request: GraphQLRequest,
    ) -> Operation:
        """Return the operation to run. Raises `RequestError` if the method doesn't allow it."""
        operation = await prepared(self.operations, budget, caller, graphql_request)
        exchange.operation = operation.label
        if request.method == hdrs.METH_GET and operation.kind is OperationType.MUTATION:
            raise _not_allowed("GET runs no mutations: send them by POST.", (hdrs.METH_POST,))
        return operation

    async def _single(
        self,
        exchange: Exchange,
        record: OperationRecord,
        ready: Request,
        spending: Spending,
        trace: Trace | None = None,
    ) -> ExecutionResult:
        """Execute an operation with one result and record it. `_run` refuses subscriptions."""
        exchange.record = record
        with Recording(self.instrumentation, record):
            return note_errors(record, await self.executions.result(ready, spending, trace))


def _wants_page(request: web.Request) -> bool:
    is_plain = request.method == hdrs.METH_GET and DOCUMENT.isdisjoint(request.query)
    return is_plain and prefers_html(combined(request, hdrs.ACCEPT))


def _not_allowed(message: str, methods: tuple[str, ...]) -> RequestError:
    headers = {"Allow": ", ".join(methods)}
    return RequestError(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=headers)
