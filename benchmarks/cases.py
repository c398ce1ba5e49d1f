"""Operations for the two executors: of the benchmark, of the playground, and the kinds that are hard to speed up."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, get_introspection_query, parse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.operations import DASHBOARD, DEPTHS, LIMITS, NESTED, POINT
from mainsheet.executor import Prepared, core_schema
from mainsheet.models.database import Database
from mainsheet.models.job import Job
from mainsheet.models.team import Team
from mainsheet.schema.api import api

EXAMPLES = Path(__file__).parents[1] / "playground" / "examples"
KEY = "daily-sales-etl"
MANY = " ".join(f"a{number}: jobs(limit: {number % 7}) {{ nodes {{ id name }} totalCount }}" for number in range(100))
LISTS = " ".join(f"a{number}: jobs(limit: 1) {{ nodes {{ id name jobKey }} totalCount }}" for number in range(310))
WIDE = " ".join(f"a{number}: name" for number in range(1890))
OTHERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "W1, point": (POINT, {"key": KEY}),
    "W2, dashboard": (DASHBOARD, LIMITS),
    "W3, nested": (NESTED, DEPTHS),
    "the smallest": ("{ __typename }", {}),
    "me": ("{ me { actor { id } } }", {}),
    "a type of several": (
        "query ($id: ID!) { node(id: $id) { id ... on Job { name } } }",
        {"id": "<id of job daily-sales-etl>"},
    ),
    "a hundred lists": (f"{{ {MANY} }}", {}),
    "1,900 fields": (f"{{ jobs(limit: 1) {{ nodes {{ {WIDE} }} }} }}", {}),
    "1,900 fields of 310 lists": (f"{{ {LISTS} }}", {}),
    "introspection": (get_introspection_query(), {}),
    "one type": ('{ __type(name: "Job") { name fields { name } } }', {}),
    "a variable that is refused": (POINT, {"key": 1}),
    "an argument that is refused": ("{ me { actor { id } } jobs(limit: 101) { nodes { id } } }", {}),
    "a null for an error, far below": ("{ me { jobs { nodes { id name teams(limit: 101) { nodes { id } } } } } }", {}),
    "a mutation": (
        'mutation ($id: ID!) { updateJob(input: {jobId: $id, name: "Daily"}) { job { id name } userErrors { code } } }',
        {"id": "<id of job daily-sales-etl>"},
    ),
    "a mutation that is refused": (
        'mutation { deleteJob(input: {jobId: "JBNOWHERE"}) { deletedJobId userErrors { code message } } }',
        {},
    ),
}


@dataclass(frozen=True)
class Case:
    name: str
    operation: Prepared
    variables: dict[str, Any]


async def cases(database: Database) -> list[Case]:
    async with AsyncSession(database.reads) as session:
        jobs = {job.job_key: job.id for job in await session.scalars(select(Job))}
        teams = {team.name: team.id for team in await session.scalars(select(Team))}
    ids = {"job": jobs, "team": teams}
    return [
        Case(name, Prepared(core_schema(api), document, node), _with_ids(variables, ids))
        for title, (text, variables) in _every().items()
        for document in [parse(text)]
        for name, node in _operations(title, document)
    ]


def _every() -> dict[str, tuple[str, dict[str, Any]]]:
    found = dict(OTHERS)
    for path in sorted(EXAMPLES.glob("*.graphql")):
        found[path.stem] = path.read_text("utf-8"), json.loads(path.with_suffix(".json").read_text("utf-8"))
    return found


def _operations(title: str, document: DocumentNode) -> Iterator[tuple[str, OperationDefinitionNode]]:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    for each in operations:
        yield f"{title}: {each.name.value}" if len(operations) > 1 and each.name else title, each


def _with_ids(variables: dict[str, Any], ids: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    text = re.sub(r"<id of (\w+) ([^>]+)>", lambda found: ids[found[1]][found[2]], json.dumps(variables))
    made: dict[str, Any] = json.loads(text)
    return made
