"""What the parts of the application keep in it, and in a request for the log."""

from typing import Final

from aiohttp import web

from server.budget import Spending
from server.metrics import Metrics
from server.under_way import UnderWay

METRICS: Final = web.AppKey("metrics", Metrics)
UNDER_WAY: Final = web.AppKey("under_way", UnderWay)

REQUEST_ID: Final = web.RequestKey("request_id", str)
SPENDING: Final = web.RequestKey("spending", Spending)
MEMBER: Final = web.RequestKey("member", str)
