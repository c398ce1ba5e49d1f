"""The response to what isn't valid HTTP."""

from http import HTTPStatus

import orjson
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from mainsheet.server.errors import RequestError
from mainsheet.server.http.early_refusal import HEADERS
from mainsheet.server.http.request import JSON


def malformed(status: HTTPStatus, message: str, cause: BaseException | None) -> web.Response:
    """Return the response, after which the connection is closed. The message is the parser's.

    What the client sent isn't repeated: it may be a token, and responses may be logged.
    """
    if isinstance(cause, LineTooLong):
        what = f"the URL or a header has more than {cause.args[1]} bytes"
    else:
        what = message.partition("\n")[0].partition(": ")[0].rstrip(":. ") or "this is no HTTP"
    error = RequestError(status, f"{status.phrase}: {what}.")
    body = {"errors": [{"message": str(error), "extensions": {"code": error.code}}]}
    headers = {**HEADERS, **error.headers}
    response = web.Response(
        body=orjson.dumps(body), status=error.status, content_type=JSON, charset="utf-8", headers=headers
    )
    response.force_close()
    return response
