"""A small query of long texts can't cause a response of unlimited size."""

import tracemalloc
from typing import Any

import pytest

from mainsheet.executor import AnswerTooLarge, Executor, Request
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from testbed.ask import Ask, config, prepared
from testbed.world import World, caller

LIMIT = 10_000_000
TEXTS = [{"name": f"NAME_{number}", "value": "x" * 8191} for number in range(100)]
ALIASES = " ".join(f"a{number}: environment {{ value }}" for number in range(400))
ONE_OBJECT = f"query ($id: ID!) {{ job(id: $id) {{ currentVersion {{ {ALIASES} }} }} }}"
JOBS = " ".join(f"a{number}: job(id: $id) {{ currentVersion {{ environment {{ value }} }} }}" for number in range(400))
SHARED = f"query ($id: ID!) {{ {JOBS} }}"


@pytest.mark.parametrize("query", [ONE_OBJECT, SHARED], ids=["fields of one object", "the same object"])
async def test_many_aliases_of_a_long_text_are_refused(ask: Ask, world: World, query: str) -> None:
    job_id = await ask.create_job(world.contributor, world, config=config(world, environment=TEXTS))
    context = Context(ask.database, caller(world.contributor))
    operation: Any = prepared(query)
    request = Request(operation, {"id": job_id}, context, context.caller)
    tracemalloc.start()

    with pytest.raises(AnswerTooLarge):
        await Executor(api, believes_rows=True, most_bytes=LIMIT).execute(request)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await context.close()
    assert peak < 5 * LIMIT  # of 329 MB
