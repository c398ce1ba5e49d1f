"""Parses GraphQL requests and chooses the media type of the response (GraphQL over HTTP, "Request", "Media Types")."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from mainsheet.server.errors import RequestError
from mainsheet.server.http.accept import media_ranges
from mainsheet.server.http.body import BodyLimits, read_body

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"
HTML: Final = "text/html"
EVENT_STREAM: Final = "text/event-stream"

WILDCARDS: Final = ("application/*", "*/*")  # the more specific one first

# The names of headers in which clients give their own names: Apollo's, and the one without a vendor.
CLIENT_NAMES: Final = ("apollographql-client-name", "graphql-client-name")
LONGEST_CLIENT_NAME: Final = 100
LONGEST_HASH: Final = 255  # a manifest may give any id as the hash


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A request. Its document is given by its text, by an id, or by its hash, to which the text may be added."""

    query: str  # empty if the text wasn't sent
    variables: dict[str, Any] | None
    operation_name: str | None
    document_id: str | None = None
    hash: str | None = None  # of Apollo's automatic persisted queries
    client: str = ""  # its name
    is_resolved: bool = False  # `query` is the document, and the caller may run it


async def read(request: web.Request, limits: BodyLimits) -> GraphQLRequest:
    """Parse a request. Raises `RequestError` if it isn't a GraphQL request."""
    is_get = request.method == hdrs.METH_GET
    graphql_request = parse_request(_from_url(request) if is_get else await _from_body(request, limits), request)
    if not (graphql_request.query or graphql_request.document_id or graphql_request.hash):
        raise _bad("The parameter `query` is missing.")
    return graphql_request


def authorization_of(request: web.Request) -> str | None:
    """Return the header `Authorization`. Raises `RequestError` if there are several."""
    headers = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(headers) > 1:
        raise _bad("Send one Authorization header, not several.")
    return headers[0] if headers else None


def parse_request(parameters: Mapping[str, Any], request: web.Request) -> GraphQLRequest:
    """Return the parameters' request. Raises `RequestError` if they have wrong types or contradict each other."""
    query: str = _typed(parameters, "query", str, "a string") or ""
    extensions: dict[str, Any] | None = _typed(parameters, "extensions", dict, "an object")
    document_id: str | None = _typed(parameters, "documentId", str, "a string") or None
    hash_ = _persisted_hash((extensions or {}).get("persistedQuery"))
    query = "" if query.isspace() else query
    if document_id is not None and (query or hash_ is not None):
        raise _bad("Send either `documentId` or the document's text or hash, not both.")
    return GraphQLRequest(
        query=query,
        variables=_typed(parameters, "variables", dict, "an object"),
        operation_name=_typed(parameters, "operationName", str, "a string") or None,
        document_id=document_id,
        hash=hash_,
        client=_client_name(request.headers),
    )


def _client_name(headers: Mapping[str, str]) -> str:
    for name in CLIENT_NAMES:
        if name in headers:
            return headers[name][:LONGEST_CLIENT_NAME]
    return ""


def _persisted_hash(extension: Any) -> str | None:
    """Return the hash in Apollo's extension `persistedQuery`."""
    match extension:
        case None:
            return None
        case {"version": 1, "sha256Hash": str(hash_)} if 0 < len(hash_) <= LONGEST_HASH:
            return hash_
        case _:
            raise _bad("`extensions.persistedQuery` must have `version: 1` and a `sha256Hash`.")


def _from_url(request: web.Request) -> Mapping[str, Any]:
    objects = {name: request.query[name] for name in ("variables", "extensions") if name in request.query}
    return {**request.query, **{name: _decode(text.encode(), name) for name, text in objects.items()}}


async def _from_body(request: web.Request, limits: BodyLimits) -> Mapping[str, Any]:
    if not _is_json(request):
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {JSON} in UTF-8.")
    match _decode(await read_body(request, limits), "body"):
        case dict() as parameters:
            return parameters
        case list():
            raise _bad("Batches aren't supported: send one operation in each request.")
        case _:
            raise _bad("The body must be a JSON object.")


def _is_json(request: web.Request) -> bool:
    if request.headers.get(hdrs.CONTENT_TYPE) == JSON:  # most clients send this, which needn't be parsed
        return True
    # aiohttp lowers the case and drops the parameters.
    return request.content_type == JSON and (request.charset or "utf-8").lower() in {"utf-8", "utf8"}


def _decode(encoded: bytes, what: str) -> Any:
    # orjson refuses what json accepts or fails on: NaN, 10,000 digits or levels, lone surrogates.
    try:
        return orjson.loads(encoded)
    except orjson.JSONDecodeError as error:
        raise _bad(f"The {what} isn't valid JSON: {error}.") from error


def _typed(parameters: Mapping[str, Any], name: str, kind: type, called: str) -> Any:
    value = parameters.get(name)
    if value is not None and not isinstance(value, kind):
        raise _bad(f"The parameter `{name}` must be {called}.")
    return value


def _bad(message: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, message)


@lru_cache(maxsize=256)
def answer_type(accept: str | None) -> str:
    """Return the media type of the response. Raises `RequestError` (406) if the client accepts none of ours."""
    qualities = dict(sorted(media_ranges(accept or "*/*"), key=itemgetter(1)))  # of one that is there twice, the best
    # A client that names neither type gets the old one: it may not know the new one.
    types = (GRAPHQL_RESPONSE, JSON) if GRAPHQL_RESPONSE in qualities else (JSON, GRAPHQL_RESPONSE)
    # At equal quality a named type beats a wildcard.
    best = max(types, key=lambda each: (_quality(each, qualities), each in qualities))
    if not _quality(best, qualities):
        raise RequestError(HTTPStatus.NOT_ACCEPTABLE, f"Answers are {GRAPHQL_RESPONSE} or {JSON}.")
    return best


def _quality(media_type: str, qualities: Mapping[str, float]) -> float:
    """Return the quality of the most specific range that has the type (RFC 9110, section 12.5.1)."""
    return next((qualities[each] for each in (media_type, *WILDCARDS) if each in qualities), 0.0)


def prefers_html(accept: str | None) -> bool:
    ranges = media_ranges(accept or "*/*")
    return bool(ranges) and max(ranges, key=lambda media_range: media_range[1])[0] == HTML
