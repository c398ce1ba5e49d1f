"""Lets clients cache the schema: introspection by GET has an ETag, and isn't executed if the client has that tag."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from aiohttp import hdrs, web
from graphql import GraphQLSchema, print_schema

from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.accept import combined
from mainsheet.server.http.encoding import comparable
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.operations.operation_store import Operation

TAG_BYTES = 16


@dataclass(frozen=True)
class SchemaCache:
    sdl: bytes

    @classmethod
    def of(cls, schema: GraphQLSchema) -> Self:
        return cls(print_schema(schema).encode())

    def check(self, request: web.Request, graphql_request: GraphQLRequest, operation: Operation) -> None:
        """Set the response's tag. Raises `HTTPNotModified` if the client has that response."""
        if request.method != hdrs.METH_GET or not operation.prepared.is_introspection:
            return
        tag = self._tag(request, graphql_request)
        request[EXCHANGE].etag = tag
        if tag and any(known.value == tag for known in request.if_none_match or ()):
            raise web.HTTPNotModified(headers=cache_headers(tag))

    def _tag(self, request: web.Request, graphql_request: GraphQLRequest) -> str | None:
        """Hash what the response depends on: the schema, the operation with its variables, and the media type.

        Return None if what the client sent can't be encoded as JSON.
        """
        parts = graphql_request.query, graphql_request.operation_name, graphql_request.variables
        asked = comparable(*parts, combined(request, hdrs.ACCEPT))
        return None if asked is None else blake2b(self.sdl + asked, digest_size=TAG_BYTES).hexdigest()


def cache_headers(tag: str) -> dict[str, str]:
    """Return headers that make a cache ask again each time: the token may have been revoked.

    The tag is weak, as it is the same for the compressed response.
    """
    return {hdrs.ETAG: f'W/"{tag}"', hdrs.CACHE_CONTROL: "private, no-cache"}
