"""How an error looks to a client: GraphQL's shape, a code from a fixed list, nothing internal."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import structlog
from graphql import GraphQLError

from models.errors import BadInput

log = structlog.stdlib.get_logger("server")


class Code(StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    TIMEOUT = "TIMEOUT"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class RequestError(Exception):
    """The exchange fails as HTTP: its status holds for every media type."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        code: Code = Code.BAD_USER_INPUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class InvalidOperation(Exception):
    """The exchange is fine, but what was asked for can't be run: GraphQL's *request errors*."""

    def __init__(self, code: Code, errors: Iterable[GraphQLError]) -> None:
        self.errors = [with_code(error, code) for error in errors]
        super().__init__("; ".join(error.message for error in self.errors))


def with_code(error: GraphQLError, code: Code) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def is_unexpected(error: GraphQLError) -> bool:
    """Tell a resolver's accident from what it, or graphql-core, says to the client."""
    return bool(error.path) and not isinstance(_cause(error), BadInput | GraphQLError)


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause


def log_unexpected(errors: Iterable[GraphQLError]) -> None:
    for error in filter(is_unexpected, errors):
        log.error("unexpected error", path=error.path, exc_info=_cause(error))


def formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    if is_unexpected(error):
        return masked(request_id) | {"path": error.path, "locations": _locations(error)}
    return dict(with_code(error, Code.BAD_USER_INPUT).formatted)


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": location.line, "column": location.column} for location in error.locations or ()]


def masked(request_id: str) -> dict[str, Any]:
    return {
        "message": "Something went wrong on our side. The log tells more under the request's id.",
        "extensions": {"code": Code.INTERNAL_SERVER_ERROR, "requestId": request_id},
    }
