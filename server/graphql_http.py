"""GraphQL over HTTP: authenticate, parse the request, execute, respond.

Our own handler and not Strawberry's: that one would need most of its methods replaced (docs/decisions).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import hdrs, web
from graphql import ExecutionResult, OperationType

from executor import Request
from resolvers.caller import Caller
from server.answer import answer_page, respond
from server.authentication import Authenticator
from server.errors import Code, InvalidOperation, RequestError
from server.execution import Closable, Executions
from server.keys import MEMBER
from server.operation_store import OperationStore
from server.request import GraphQLRequest, answer_type, prefers_html, read
from server.trace import Tracer, is_wanted
from server.under_way import OPERATION

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
METHODS = (hdrs.METH_GET, hdrs.METH_POST)
BEARER = "Bearer"


@dataclass(frozen=True)
class GraphQLEndpoint:
    authenticator: Authenticator
    operations: OperationStore
    executions: Executions
    open_context: Callable[[Caller], Closable]
    max_answer_bytes: int
    public_introspection: bool = False
    playground: Handler = answer_page
    tracer: Tracer | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method not in METHODS:
            raise _not_allowed(f"The method {request.method} isn't allowed here.", METHODS)
        if _wants_page(request):
            return await self.playground(request)
        media_type = answer_type(request.headers.get(hdrs.ACCEPT))
        caller = await self._caller(request)
        asked = await read(request)
        try:
            result = await self._run(request, caller, asked)
        except InvalidOperation as invalid:
            result = ExecutionResult(None, invalid.errors)
        return respond(request, result, media_type, self.max_answer_bytes)

    async def _caller(self, request: web.Request) -> Caller | None:
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        caller = await self.authenticator.caller(authorization)
        if caller is not None:
            request[MEMBER] = caller.member_id
        elif authorization is not None or not self.public_introspection:
            raise unauthenticated(authorization)
        return caller

    async def _run(self, request: web.Request, caller: Caller | None, asked: GraphQLRequest) -> ExecutionResult:
        operation = await self.operations.get(asked.query, asked.operation_name)
        request[OPERATION] = operation.name
        if caller is None and not operation.prepared.is_introspection:
            raise unauthenticated(None)
        _check_method(request.method, operation.kind)
        operation.check(asked.variables)
        context = self.open_context(caller) if caller else None  # introspection asks no resolver
        ready = Request(operation.prepared, asked.variables, context, caller)
        if self.tracer and is_wanted(request):
            return await self.tracer.run(operation, ready)
        return await self.executions.run(ready)


def _wants_page(request: web.Request) -> bool:
    is_plain = request.method == hdrs.METH_GET and "query" not in request.query
    return is_plain and prefers_html(request.headers.get(hdrs.ACCEPT))


def _check_method(method: str, operation: OperationType) -> None:
    if operation is OperationType.SUBSCRIPTION:
        raise RequestError(HTTPStatus.BAD_REQUEST, "Subscriptions can't be run by a single request.")
    if method == hdrs.METH_GET and operation is not OperationType.QUERY:
        raise _not_allowed("GET runs queries only: send mutations by POST.", (hdrs.METH_POST,))


def _not_allowed(message: str, methods: tuple[str, ...]) -> RequestError:
    headers = {"Allow": ", ".join(methods)}
    return RequestError(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=headers)


def unauthenticated(authorization: str | None) -> RequestError:
    """Answer 401 as RFC 6750 has it: whoever sent a token hears that it is no good, others what is needed."""
    sent = authorization is not None and authorization.lower().startswith("bearer ")
    return RequestError(
        HTTPStatus.UNAUTHORIZED,
        "The bearer token isn't valid, or no longer." if sent else "A bearer token is needed in Authorization.",
        code=Code.UNAUTHENTICATED,
        headers={"WWW-Authenticate": f'{BEARER} error="invalid_token"' if sent else BEARER},
    )
