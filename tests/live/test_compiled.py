"""Subscriptions execute compiled operations."""

from collections import Counter

from mainsheet.executor.compiler import Tries
from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from testbed.ask import Ask
from testbed.world import World
from tests.live.conftest import Live
from tests.live.test_subscriptions import data, end, rename

JOBS = "subscription ($after: String) { jobs(after: $after) { jobId job { name } } }"
SUBSCRIPTIONS = Tries().left + 2  # if each one used up a try, the last ones would no longer be compiled


class Outcomes(Instrumentation):
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def executed(self, how: str) -> None:
        self.counts[how] += 1


async def test_deliveries_are_compiled_however_many_subscriptions_have_begun(
    live: Live, ask: Ask, world: World, database: Database, job_id: str
) -> None:
    outcomes = Outcomes()
    database.instrumentation.add(outcomes)
    after = await end(ask, world)
    async with live.socket(world.viewer) as socket:
        for number in range(SUBSCRIPTIONS):
            await socket.subscribe(str(number), JOBS, after=after)
        await rename(ask, world, job_id, "changed")
        for _ in range(SUBSCRIPTIONS):
            assert (await data(socket))["jobs"]["job"] == {"name": "changed"}

    assert outcomes.counts["compiled"] >= SUBSCRIPTIONS, outcomes.counts
    assert outcomes.counts.keys() <= {"compiled", "recovered", "parts"}
