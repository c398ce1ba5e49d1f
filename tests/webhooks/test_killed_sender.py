"""A message whose sender is killed is sent again by the next one."""

import asyncio
import signal

from aiohttp import web

from mainsheet.models.database import Database
from testbed.ask import Ask
from testbed.world import World
from tests.server.commands import serving
from tests.webhooks.conftest import Received, Receiver, created, end_lease, until


async def test_a_message_is_sent_again_after_its_sender_was_killed(
    ask: Ask, world: World, receiver: Receiver, database: Database, database_url: str
) -> None:
    held = asyncio.Event()

    async def hold(_received: Received) -> web.StreamResponse:
        await held.wait()
        return web.Response()

    receiver.answer = hold
    _, secret = await created(ask, world, receiver)
    await ask.create_job(world.contributor, world)
    environment = {"MAINSHEET_DATABASE_URL": database_url, "MAINSHEET_WEBHOOK_NETWORKS": "127.0.0.0/8"}

    with serving(environment=environment) as server:
        first = await receiver.next()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    held.set()
    await end_lease(database)
    with serving(environment=environment) as server:
        again = await receiver.next()
        (delivery,) = await until(database, "SUCCEEDED")
        assert server.stop() == 0

    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    again.verify(secret)
    assert delivery.attempt == 1  # the attempt that was cut off isn't counted
