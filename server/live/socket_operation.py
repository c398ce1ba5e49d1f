"""One operation of a WebSocket connection: its results, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from mainsheet.resolvers.caller import Caller
from mainsheet.server.app_keys import INSTRUMENTS
from mainsheet.server.errors import InvalidOperation, RateLimited
from mainsheet.server.exchange import EXCHANGE
from mainsheet.server.http.request import GraphQLRequest
from mainsheet.server.http.turn_taking import protocol_of
from mainsheet.server.live.group import Subscriber, TooSlow
from mainsheet.server.live.messages import INTERRUPTED, Disconnected, head
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
        self._subscriber: Subscriber | None = None
        self._leave: Leave | None = None  # of a subscription that has begun
        self._task: asyncio.Task[None] | None = None

    @property
    def is_subscribed(self) -> bool:
        """Return whether this is a subscription that has begun: its client can resume it elsewhere."""
        return self._leave is not None

    def begin(self, caller: Caller, request: GraphQLRequest) -> None:
        self._start(partial(self._execute, caller, request))

    def cancel(self) -> asyncio.Task[None] | None:
        """End the operation. Return its task if one runs."""
        self._unsubscribe()
        task, self._task = self._task, None
        if task:
            task.cancel()
        return task

    def _unsubscribe(self) -> None:
        if self._leave:
            self._leave()
            self._leave = None
            self._subscriber = None  # it refers to the operation

    def _send_now(self, result: bytes) -> bool:
        return self._connection.send_now(self._head, result, b"}")

    def _send_waiting(self) -> None:
        self._start(self._send_results)

    def _start(self, work: Work) -> None:
        context = self._connection.context.copy()
        self._task = asyncio.create_task(self._run(work), name="websocket operation", context=context)

    async def _execute(self, caller: Caller, request: GraphQLRequest) -> bool:
        """Run the operation and send its result, or join its subscription. Return whether the operation has ended."""
        streams, request_id = self._connection.endpoint.streams, self._connection.request[EXCHANGE].request_id
        await protocol_of(self._connection.request).turns.wait(caller.key)
        begun = await streams.begun(caller, request, request_id)
        if isinstance(begun, bytes):
            await self._send(begun)
            return True
        subscriber = Subscriber(self._send_now, self._send_waiting)
        self._leave = streams.subscriptions.join(begun, subscriber)
        self._subscriber = subscriber
        return False

    async def _send_results(self) -> bool:
        if self._subscriber:
            async with aclosing(self._subscriber.waiting()) as waiting:
                async for each in waiting:
                    await self._send(each)
        return False

    async def _send(self, result: bytes) -> None:
        await self._connection.send(self._head, result, b"}")

    async def _run(self, work: Work) -> None:
        """Do the work. Tell the client if it ends the operation."""
        try:
            last = await self._last_message(work)
            if last is None:
                self._task = None
            else:
                await self._end(last)
        except Disconnected:
            pass
        except Stopping:
            self._forget()
            self._connection.end()
        except TooSlow:
            self._connection.end_slow()
        except asyncio.CancelledError:
            if not _is_cancelled():  # something that it waited for was
                self._connection.close(INTERRUPTED)
            raise

    async def _last_message(self, work: Work) -> dict[str, Any] | None:
        """Do the work. Return the message that ends the operation, or None if it goes on."""
        request, instruments = self._connection.request, self._connection.request.app[INSTRUMENTS]
        request_id = request[EXCHANGE].request_id
        try:
            return {"type": "complete", "id": self._id} if await work() else None
        except (Disconnected, Stopping, TooSlow):
            raise
        except InvalidOperation as invalid:
            errors = errors_of(invalid, request_id, instruments)
        except Exception as failure:  # noqa: BLE001 it ends this operation only
            errors = [error_of(failure, request_id, instruments)]
        return {"type": "error", "id": self._id, "payload": errors}

    async def _end(self, last: dict[str, Any]) -> None:
        """Send the last message. The client may use the id again as soon as it has it."""
        self._unsubscribe()
        await self._connection.send(orjson.dumps(last))
        self._forget()
        self._connection.close_if_idle()

    def _forget(self) -> None:
        self._unsubscribe()
        self._task = None
        if self._connection.operations.get(self._id) is self:
            del self._connection.operations[self._id]


def refusal(id_: str, request: web.Request) -> bytes:
    """Return the message that refuses an operation because the connection has too many."""
    failure = RateLimited("This connection has too many operations. End one first.", 1)
    error = error_of(failure, request[EXCHANGE].request_id, request.app[INSTRUMENTS])
    return orjson.dumps({"type": "error", "id": id_, "payload": [error]})


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
