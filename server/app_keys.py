"""Keys of the objects that are stored in the application and in requests."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from mainsheet.models.instrumentation import Instrumentation, OperationRecord
from mainsheet.models.replicas import Replicas
from mainsheet.server.http.client_address import Clients
from mainsheet.server.http.connections import Connections
from mainsheet.server.http.consistency import Consistency
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.observe.metrics import Metrics
from mainsheet.server.operations.budget import Spending
from mainsheet.server.process.shutdown import RunningWork

INSTRUMENTS: Final = web.AppKey("instruments", Instrumentation)
CLIENTS: Final = web.AppKey("clients", Clients)
CONNECTIONS: Final = web.AppKey("connections", Connections)
ADMIN: Final = web.AppKey("admin", web.Application)  # the one with the health checks and metrics
FEED_WATCH: Final = web.AppKey("feed_watch", FeedWatch)
METRICS: Final = web.AppKey("metrics", Metrics)
REPLICAS: Final = web.AppKey("replicas", Replicas)
RUNNING_WORK: Final = web.AppKey("running_work", RunningWork)

REQUEST_ID: Final = web.RequestKey("request_id", str)
CLIENT: Final = web.RequestKey("client", str)  # its address
CONSISTENCY: Final = web.RequestKey("consistency", Consistency)
SPENDING: Final = web.RequestKey("spending", Spending)
IS_STREAM: Final = web.RequestKey("is_stream", bool)  # the response goes on until the client leaves
RECORD: Final = web.RequestKey("record", OperationRecord)
ERROR_CODES: Final = web.RequestKey("error_codes", Sequence[str])
ETAG: Final = web.RequestKey("etag", str)  # of an introspection that the client may cache
