"""Query plans of statements, and the parts of them whose cost grows with the number of jobs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mainsheet.models.database import Database

GROWING = "job|job_tag|job_version|job_run|event|job_team|job_version_dependency|job_version_query|job_search_row"
OF_ASKED = {"uq_job_version_one_draft", "ix_job_run_ready"}  # contains only the rows that a filter selects
PARAMETER = re.compile(r"\$(\d+)")
QUOTED = re.compile(r"\"[^\"]*\"")

# SQLite: a full scan, a scan of an automatic index, a full scan of the search index, and one that fills a filter. Some
# lists fill one with jobs; what reads dependencies holds the lock for writes.
SQLITE_WALK = re.compile(
    rf"SCAN (?:{GROWING})(?:_\d+)?\b"
    rf"|SEARCH (?:{GROWING})(?:_\d+)? USING AUTOMATIC"
    r"|SCAN job_search VIRTUAL TABLE INDEX 0:$"
    r"|BLOOM FILTER ON job_version_dependency\b"
)
SQLITE_TENANT = re.compile(rf"SEARCH (?:{GROWING})(?:_\d+)? USING .*INDEX \w+ \(organization_id=\?\)")
SQLITE_TEAM = re.compile(r"SEARCH job_team(?:_\d+)? USING .*INDEX \w+ \(team_id=\?\)")
SQLITE_SORT = "USE TEMP B-TREE FOR ORDER BY"
POSTGRESQL_TABLE = re.compile(rf"(?:(?:ix|pk|uq)_)?(?:{GROWING})(?:_.*)?")
POSTGRESQL_TENANT = re.compile(r"\(\(?\(?organization_id\)?(?:::text)? = [^()]*(?:\([^()]*\))?[^()]*\)+")


class Plans:
    """The plans of one database, cached by statement."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def of(self, database: Database, sql: str) -> str:
        if sql not in self._known:
            async with database.reads.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                self._known[sql] = await (_sqlite(driver, sql) if database.is_sqlite else _postgresql(driver, sql))
        return self._known[sql]


async def _sqlite(driver: Any, sql: str) -> str:
    unknown = [None] * QUOTED.sub("", sql).count("?")
    return "\n".join(row[3] for row in await driver.execute_fetchall(f"EXPLAIN QUERY PLAN {sql}", unknown))


async def _postgresql(driver: Any, sql: str) -> str:
    """Return the generic plan, which the server's prepared statements use."""
    unknown = ", ".join(["NULL"] * max((int(each) for each in PARAMETER.findall(sql)), default=0))
    await driver.execute(f"PREPARE asked AS {sql}")
    try:
        plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{unknown and f'({unknown})'}")
        return orjson.dumps(plan).decode()  # SQLAlchemy has decoded it
    finally:
        await driver.execute("DEALLOCATE asked")


def walks(plan: str) -> list[str]:
    """Return the growing tables that the plan scans completely."""
    if not plan.startswith("["):
        return [line for line in plan.splitlines() if SQLITE_WALK.match(line)]
    return [_said(node) for node in _nodes(plan) if _is_scan(node) and "Index Cond" not in node]


def through_the_tenant(plan: str) -> list[str]:
    """Return the growing tables of which the plan reads all rows of the organization."""
    if not plan.startswith("["):
        return [line for line in plan.splitlines() if SQLITE_TENANT.match(line)]
    return [_said(node) for node in _nodes(plan) if _is_scan(node) and _is_tenant(node.get("Index Cond", ""))]


def through_teams(plan: str) -> list[str]:
    """Return the scans of all grants of a team, which may be those of all jobs."""
    if not plan.startswith("["):
        return [line for line in plan.splitlines() if SQLITE_TEAM.search(line)]
    grants = [node for node in _nodes(plan) if _is_scan(node) and "job_team" in _read_by(node)]
    return [_said(node) for node in grants if "job_id" not in node.get("Index Cond", "")]


def sorts(plan: str) -> bool:
    """Whether the plan sorts, so that it reads all rows before it returns the first."""
    if not plan.startswith("["):
        return SQLITE_SORT in plan.splitlines()
    return any(node["Node Type"] == "Sort" for node in _nodes(plan))


def _nodes(plan: str) -> Iterator[Mapping[str, Any]]:
    waiting = [each["Plan"] for each in orjson.loads(plan)]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.get("Plans", ())


def _is_scan(node: Mapping[str, Any]) -> bool:
    """Whether the node scans a growing table or index. For a bitmap heap scan, its index scan counts."""
    if "Scan" not in node["Node Type"] or node["Node Type"] == "Bitmap Heap Scan":
        return False
    return bool(POSTGRESQL_TABLE.fullmatch(_read_by(node))) and _read_by(node) not in OF_ASKED


def _is_tenant(condition: str) -> bool:
    return bool(POSTGRESQL_TENANT.fullmatch(condition))


def _read_by(node: Mapping[str, Any]) -> str:
    return str(node.get("Index Name") or node.get("Relation Name"))


def _said(node: Mapping[str, Any]) -> str:
    return f"{node['Node Type']} of {_read_by(node)}: {node.get('Index Cond')}"
