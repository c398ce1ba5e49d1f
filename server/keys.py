"""What the parts of the application keep in it, and in a request for the log."""

from typing import Final

from aiohttp import web

from server.metrics import Metrics

METRICS: Final = web.AppKey("metrics", Metrics)

REQUEST_ID: Final = web.RequestKey("request_id", str)
MEMBER: Final = web.RequestKey("member", str)
OPERATION: Final = web.RequestKey("operation", str)
