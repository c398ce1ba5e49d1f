"""Errors as clients see them: in GraphQL's shape, with a code from a fixed list and no internals."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar

from graphql import GraphQLError

from mainsheet.executor import AnswerTooLarge
from mainsheet.models.errors import BadInput
from mainsheet.models.feed import CursorExpired
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.unavailable import Unavailable


class Code(StrEnum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    OVERLOADED = "OVERLOADED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class RequestError(Exception):
    """An error at the HTTP level. Its status is the same for every media type."""

    refusal: ClassVar[str | None] = None  # how the metrics name it, if it protects the server
    closes: ClassVar[bool] = False  # the connection, even where the status alone doesn't
    extensions: Mapping[str, Any] = {}  # of the error, besides the code

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


def timed_out(message: str) -> RequestError:
    """Return a 503 for work that ran out of time and changed nothing."""
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, message, code=Code.TIMEOUT, headers={"Retry-After": "1"})


def unauthenticated(authorization: str | None) -> RequestError:
    """Return a 401 as RFC 6750 requires: with `invalid_token` if a token was sent, else with the scheme only."""
    sent = authorization is not None and authorization.lower().startswith("bearer ")
    return RequestError(
        HTTPStatus.UNAUTHORIZED,
        "The bearer token isn't valid, or no longer." if sent else "A bearer token is needed in Authorization.",
        code=Code.UNAUTHENTICATED,
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"' if sent else "Bearer"},
    )


class Overloaded(RequestError):
    """Too many requests wait already: HTTP status 503. Nothing of the request was executed."""

    refusal = "overload"

    def __init__(self, retry_after: int) -> None:
        message = f"The server is overloaded: nothing was executed or changed. Try again in {retry_after} s."
        headers = {"Retry-After": str(retry_after)}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, message, code=Code.OVERLOADED, headers=headers)
        self.extensions = {"retryAfter": retry_after}


class RateLimited(RequestError):
    """The caller or its organization is over a limit: HTTP status 429. The operation wasn't started.

    `retry_after` is in seconds. `budget` are the headers that show what is left.
    """

    def __init__(self, message: str, retry_after: int, budget: Mapping[str, str] | None = None) -> None:
        headers = {"Retry-After": str(retry_after), **(budget or {})}
        super().__init__(HTTPStatus.TOO_MANY_REQUESTS, message, code=Code.RATE_LIMITED, headers=headers)
        self.retry_after = retry_after
        self.extensions = {"retryAfter": retry_after}


class InvalidOperation(Exception):
    """The HTTP request is valid, but the operation can't be run: GraphQL's *request errors*."""

    def __init__(self, code: Code, errors: Iterable[GraphQLError]) -> None:
        self.errors = [with_code(error, code) for error in errors]
        super().__init__("; ".join(error.message for error in self.errors))


def with_code(error: GraphQLError, code: Code) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def answer_too_large(size: int, limit: int) -> GraphQLError:
    """Return the error for a response over the size limit. The changes of a mutation are kept."""
    message = (
        f"The answer is too large: at least {size} bytes, at most {limit}. Ask for less at once."
        " What a mutation changed is kept."
    )
    extensions = {"code": Code.QUERY_TOO_COMPLEX, "measure": "bytes", "limit": limit, "actual": size}
    return GraphQLError(message, original_error=AnswerTooLarge(size, limit), extensions=extensions)


def is_unexpected(error: GraphQLError) -> bool:
    """Return whether a resolver failed unexpectedly, and didn't raise an error meant for the client."""
    return bool(error.path) and not isinstance(cause_of(error), BadInput | GraphQLError | Unavailable)


CODES = {
    CursorExpired: Code.CURSOR_EXPIRED,
    BadInput: Code.BAD_USER_INPUT,
    AnswerTooLarge: Code.QUERY_TOO_COMPLEX,
}


def cause_of(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause


def code_of(failure: Exception) -> str:
    """Return the code with which a failure is shown to the client."""
    cause = cause_of(failure) if isinstance(failure, GraphQLError) else failure
    match cause:
        case InvalidOperation(errors=[first, *_]):
            return code_of(first)
        case RequestError(code=code):
            return code
        case Unavailable(is_timeout=is_timeout):
            return Code.TIMEOUT if is_timeout else Code.INTERNAL_SERVER_ERROR
    if isinstance(failure, GraphQLError) and isinstance(cause, GraphQLError):
        return str((failure.extensions or {}).get("code", Code.BAD_USER_INPUT))
    return next((code for kind, code in CODES.items() if isinstance(cause, kind)), Code.INTERNAL_SERVER_ERROR)


def report(errors: Iterable[GraphQLError], instrumentation: Instrumentation) -> None:
    """Report the errors of an answer that are no fault of the client's."""
    for error in errors:
        cause = cause_of(error)
        if is_unexpected(error) or isinstance(cause, Unavailable):
            instrumentation.failed(cause, error.path)


def formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = cause_of(error)
    if isinstance(cause, Unavailable):
        message = f"{cause}: this couldn't be read. What was changed before it is kept."
        return unavailable(cause, message, request_id) | {"path": error.path, "locations": _locations(error)}
    if is_unexpected(error):
        return masked(request_id) | {"path": error.path, "locations": _locations(error)}
    if isinstance(cause, CursorExpired):
        error.extensions = {"code": Code.CURSOR_EXPIRED, "oldestCursor": cause.oldest_cursor}
    return dict(with_code(error, Code.BAD_USER_INPUT).formatted)


def unavailable(failure: Unavailable, message: str, request_id: str) -> dict[str, Any]:
    code = Code.TIMEOUT if failure.is_timeout else Code.INTERNAL_SERVER_ERROR
    extensions: dict[str, Any] = {"code": code, "requestId": request_id}
    if failure.retry_after is not None:
        extensions["retryAfter"] = failure.retry_after
    return {"message": message, "extensions": extensions}


def operation_failed(failure: Unavailable, request_id: str) -> dict[str, Any]:
    """Return the error for a whole operation that failed. Unless its outcome is unknown, it changed nothing."""
    message = f"{failure}." if failure.retry_after is None else f"{failure}; nothing was changed."
    return unavailable(failure, message, request_id)


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": location.line, "column": location.column} for location in error.locations or ()]


def masked(request_id: str) -> dict[str, Any]:
    return {
        "message": "Something went wrong on our side. See the server log for the request id.",
        "extensions": {"code": Code.INTERNAL_SERVER_ERROR, "requestId": request_id},
    }
