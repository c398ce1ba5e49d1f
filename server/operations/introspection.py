"""Introspection without a token, if it is public: cheap checks before validation."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from graphql import GraphQLError, parse

from mainsheet.executor import root_fields
from mainsheet.server.errors import InvalidOperation, RequestError, unauthenticated
from mainsheet.server.http.body import BodyLimits
from mainsheet.server.http.request import GraphQLRequest, read
from mainsheet.server.operations.documents import operation_of

MOST_BYTES: Final = 16 * 1024  # ten times the query of graphql-js
MOST_TOKENS: Final = 1_000  # the query of graphql-js has about 200
MOST_ROOT_FIELDS: Final = 4


async def read_introspection(request: web.Request, limits: BodyLimits) -> GraphQLRequest:
    """Parse a request, whose document isn't kept by a hash. Raises `RequestError`: 401 if it selects more."""
    if hdrs.CONTENT_ENCODING in request.headers:
        raise unauthenticated(None)  # don't inflate anything without a token
    try:
        graphql_request = await read(request, replace(limits, most_bytes=min(limits.most_bytes, MOST_BYTES)))
    except RequestError as error:
        raise unauthenticated(None) if error.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE else error from None
    if not is_introspection(graphql_request):
        raise unauthenticated(None)
    return replace(graphql_request, hash=None)  # which nobody has compared with the text: it must not be kept


def is_introspection(graphql_request: GraphQLRequest) -> bool:
    """Return whether the operation selects nothing but the schema. Documents that are too large to check don't."""
    if not 0 < len(graphql_request.query) <= MOST_BYTES:
        return False
    try:
        document = parse(
            graphql_request.query, no_location=True, max_lexical_tokens=MOST_TOKENS, max_comments=MOST_TOKENS
        )
        names = root_fields(document, operation_of(document, graphql_request.operation_name))
    except (GraphQLError, InvalidOperation):
        return False
    return len(names) <= MOST_ROOT_FIELDS and all(name.startswith("__") for name in names)
