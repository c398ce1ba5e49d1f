"""What the parts of the application keep in it, and in a request for the log."""

from typing import Final

from aiohttp import web

from server.budget import Spending
from server.client_address import Clients
from server.connections import Connections
from server.metrics import Metrics
from server.under_way import UnderWay

METRICS: Final = web.AppKey("metrics", Metrics)
CLIENTS: Final = web.AppKey("clients", Clients)
CONNECTIONS: Final = web.AppKey("connections", Connections)
UNDER_WAY: Final = web.AppKey("under_way", UnderWay)

REQUEST_ID: Final = web.RequestKey("request_id", str)
CLIENT: Final = web.RequestKey("client", str)  # its address
SPENDING: Final = web.RequestKey("spending", Spending)
MEMBER: Final = web.RequestKey("member", str)
