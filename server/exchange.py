"""One HTTP request and its response, as far as they are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from mainsheet.models.instrumentation import OperationRecord
from mainsheet.server.http.consistency import Consistency
from mainsheet.server.operations.budget import Spending


@dataclass(eq=False, slots=True)
class Exchange:
    """State that middlewares and handlers share. The first middleware stores it in the request, as `EXCHANGE`."""

    request_id: str
    client: str  # its address
    operation: str | None = None  # the label of the operation, if one was found
    spending: Spending | None = None
    record: OperationRecord | None = None
    consistency: Consistency | None = None
    error_codes: Sequence[str] = ()
    etag: str | None = None  # of an introspection that the client may cache
    is_stream: bool = False  # the response goes on until the client leaves


EXCHANGE: Final = web.RequestKey("exchange", Exchange)
