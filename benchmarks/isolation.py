"""`python -m benchmarks.isolation`: how long one tenant waits while a member of another asks for all that it can.

The victim asks for one job at a time. It is measured quiet, during large searches on many connections, and during
mutations whose clients leave at once; with the limits as they are by default, and without them.
"""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks import data
from benchmarks.load import Connection, Burst, burst, post
from benchmarks.servers import Server, every_server, started
from models.database import Database
from models.roles import OrganizationRole
from tests.api.ask import Ask
from tests.server.failing import token
from tests.world import make_cluster, make_member, make_organization, make_team

RESULT = Path(__file__).parent / "results/isolation.md"
CONNECTIONS = 50
MUTATIONS = 400
UNLIMITED = {
    "MAINSHEET_MAX_OPERATIONS_PER_CALLER": "1000000",
    "MAINSHEET_MAX_QUEUED_PER_CALLER": "1000000",
    "MAINSHEET_POINTS_PER_MINUTE": "0",
    "MAINSHEET_DATABASE_SECONDS_PER_MINUTE": "0",
}
POINT = "query ($id: ID!) { job(id: $id) { name currentVersion { number } } }"
SEARCH = 'jobs(limit: 100, filter: {search: "etl"}) { nodes { name } }'
SEARCHES = "{" + " ".join(f"a{number}: {SEARCH}" for number in range(600)) + "}"
DESCRIBE = "mutation ($id: ID!, $text: String) { updateJob(input: {jobId: $id, description: $text}) { job { id } } }"

Attack = Callable[[str, "Party"], Awaitable[None]]
