"""One operation of a WebSocket connection: its results, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.errors import InvalidOperation, RateLimited
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.live.group import Subscriber, TooSlow
from mainsheet.server.live.messages import RESTARTING, head
from mainsheet.server.live.stream import error_of, errors_of
from mainsheet.server.live.subscriptions import Leave, Stopping

if TYPE_CHECKING:
    from mainsheet.server.live.websocket import Connection

Work = Callable[[], Awaitable[bool]]


class Operation:
    """An operation of a connection. It has a task while it begins, and while it sends results that had to wait."""

    __slots__ = ("_connection", "_head", "_id", "_leave", "_subscriber", "_task")

    def __init__(self, connection: "Connection", id_: str) -> None:
        self._connection = connection
        self._id = id_
        self._head = head(id_)
        self._subscriber = Subscriber(self._send_now, self._send_waiting)
        self._leave: Leave | None = None  # of a subscription that has begun
        self._task: asyncio.Task[None] | None = None

    def begin(self, caller: Caller, request: GraphQLRequest, *, has_room: bool) -> None:
        self._run(partial(self._begun, caller, request, has_room=has_room))

    def cancel(self) -> asyncio.Task[None] | None:
        """End the operation. Return its task if one runs."""
        if self._leave:
            self._leave()
            self._leave = None
        if self._task:
            self._task.cancel()
        return self._task

    def _send_now(self, result: bytes) -> bool:
        return self._connection.send_now(self._head, result, b"}")

    def _send_waiting(self) -> None:
        self._run(self._sent)

    def _run(self, work: Work) -> None:
        context = self._connection.context.copy()
        self._task = asyncio.create_task(self._ended_by(work), name="websocket operation", context=context)

    async def _begun(self, caller: Caller, request: GraphQLRequest, *, has_room: bool) -> bool:
        """Run the operation and send its result, or join its subscription. Return whether the operation has ended."""
        if not has_room:
            raise RateLimited("This connection has too many operations. End one first.", 1)
        streams, request_id = self._connection.endpoint.streams, self._connection.request[EXCHANGE].request_id
        begun = await streams.begun(caller, request, request_id)
        if isinstance(begun, bytes):
            await self._send(begun)
            return True
        self._leave = streams.subscriptions.join(begun, self._subscriber)
        return False

    async def _sent(self) -> bool:
        async with aclosing(self._subscriber.waiting()) as waiting:
            async for each in waiting:
                await self._send(each)
        return False

    async def _send(self, result: bytes) -> None:
        await self._connection.send({"type": "next", "id": self._id, "payload": orjson.Fragment(result)})

    async def _ended_by(self, work: Work) -> None:
        """Do the work. Tell the client if it ends the operation."""
        connection = self._connection
        request_id, instruments = connection.request[EXCHANGE].request_id, connection.request.app[INSTRUMENTS]
        last: dict[str, Any] = {"type": "complete", "id": self._id}
        try:
            if not await work():
                self._task = None
                return
        except InvalidOperation as invalid:
            last = {"type": "error", "id": self._id, "payload": errors_of(invalid, request_id, instruments)}
        except Stopping:
            connection.close(RESTARTING)
            return
        except TooSlow:
            connection.end_slow()
            return
        except ConnectionError:
            return
        except Exception as failure:  # noqa: BLE001 it ends this operation only
            error = error_of(failure, request_id, instruments)
            last = {"type": "error", "id": self._id, "payload": [error]}
        await self._end(last)

    async def _end(self, last: Mapping[str, Any]) -> None:
        if self._leave:
            self._leave()
            self._leave = None
        if self._connection.operations.get(self._id) is self:
            del self._connection.operations[self._id]
            await self._connection.send(last)
            self._connection.close_if_idle()
