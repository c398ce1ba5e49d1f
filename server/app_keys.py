"""Keys of the objects that are stored in the application."""

from typing import Final

from aiohttp import web

from mainsheet.models.instrumentation import Instrumentation
from mainsheet.models.replicas import Replicas
from mainsheet.server.http.connections import Connections
from mainsheet.server.http.early_refusal import EarlyRefusal
from mainsheet.server.live.feed_watch import FeedWatch
from mainsheet.server.observe.metrics import Metrics
from mainsheet.server.operations.gate import Gate
from mainsheet.server.process.shutdown import RunningWork

INSTRUMENTS: Final = web.AppKey("instruments", Instrumentation)
CONNECTIONS: Final = web.AppKey("connections", Connections)
ADMIN: Final = web.AppKey("admin", web.Application)  # the one with the health checks and metrics
EARLY_REFUSAL: Final = web.AppKey("early_refusal", EarlyRefusal)
GATE: Final = web.AppKey("gate", Gate)
FEED_WATCH: Final = web.AppKey("feed_watch", FeedWatch)
METRICS: Final = web.AppKey("metrics", Metrics)
REPLICAS: Final = web.AppKey("replicas", Replicas)
RUNNING_WORK: Final = web.AppKey("running_work", RunningWork)
