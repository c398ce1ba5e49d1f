"""The servers, and how each is asked for the same subscription."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks import node
from benchmarks.fanout.events import Member
from benchmarks.servers import Server, every_server
from benchmarks.workloads import as_peer

ROW = """
id jobKey description status createdAt updatedAt
teams { nodes { id name } }
currentVersion { number schedule { cron timezone } publishedAt cluster { id name status } }
latestRun { id status createdAt }
"""
ROW_OF_POSTGRAPHILE = """
id: rowId jobKey description status createdAt updatedAt
teams: grantedTeams { nodes { id: rowId name } }
currentVersion: jobVersionByCurrentClusterIdAndRowIdAndCurrentNumber {
  number cron timezone publishedAt
  cluster: clusterByOrganizationIdAndClusterId { id: rowId name status }
}
latestRun: recentRuns(first: 1) { nodes { id: rowId status createdAt } }
"""
MANY = "100000"
# All subscribers have one address and belong to one organization, some to one member.
LIMITS = {
    "MAINSHEET_MAX_CONNECTIONS": MANY,
    "MAINSHEET_MAX_CONNECTIONS_PER_ADDRESS": MANY,
    "MAINSHEET_MAX_SUBSCRIPTIONS": MANY,
    "MAINSHEET_MAX_SUBSCRIPTIONS_PER_ORGANIZATION": MANY,
    "MAINSHEET_MAX_SUBSCRIPTIONS_PER_CALLER": MANY,
    "MAINSHEET_POINTS_PER_MINUTE": "0",
    "MAINSHEET_DATABASE_SECONDS_PER_MINUTE": "0",
}


@dataclass(frozen=True)
class LiveServer:
    server: Server
    headers: Callable[[Member], Mapping[str, str]]
    row: str

    @property
    def document(self) -> str:
        return f"subscription {{ jobs {{ jobId job {{ {self.row} }} }} }}"


def live_servers() -> list[LiveServer]:
    mainsheet = every_server()[0]
    mainsheet = replace(mainsheet, environment={**mainsheet.environment, **LIMITS})
    return [
        LiveServer(mainsheet, lambda member: {"Authorization": f"Bearer {member.token}"}, ROW),
        _peer("mercurius", "Mercurius", "mercurius", ROW),
        _peer("yoga", "GraphQL Yoga", "graphql-yoga", ROW),
        _peer("postgraphile", "PostGraphile", "postgraphile", ROW_OF_POSTGRAPHILE),
    ]


def _peer(name: str, title: str, package: str, row: str) -> LiveServer:
    command = [str(node.node()), str(node.PEERS / f"live_{name}.js")]
    version = lambda: node.package_version(package)  # noqa: E731
    server = Server(name, title, command, as_peer, version, node.environment(), needs_node=True)
    return LiveServer(server, lambda member: {"x-member-id": member.id}, row)
