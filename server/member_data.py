"""Collects what a server has about a member."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from mainsheet.models.member import stored_email
from mainsheet.server.job_files.remote import Failed, Remote

PAGE = 100
INFO = "pageInfo { hasNextPage endCursor }"
MEMBERS = f"query FindMember($first: Int!, $after: String) {{ list: members(first: $first, after: $after) {{ {INFO}\n"
MEMBERS += "  nodes { id email name organizationRole status externalId managedBy revision } } }"
OF_MEMBER = "query ExportMember($first: Int!, $after: String, $id: ID!) { member(id: $id) { list: %s } }"
ROLES = OF_MEMBER % f"teams(first: $first, after: $after) {{ {INFO} edges {{ role node {{ id name }} }} }}"
JOBS = OF_MEMBER % f"jobsCreated(first: $first, after: $after) {{ {INFO} nodes {{ id jobKey name createdAt }} }}"
TOKENS = f"""query ExportTokens($first: Int!, $after: String) {{
  list: accessTokens(first: $first, after: $after) {{ {INFO}
    nodes {{ id name scopes createdAt expiresAt lastUsedAt revokedAt actor {{ id }} }} }} }}"""
EVENTS = f"""query ExportEvents($first: Int!, $after: String, $filter: EventFilter!) {{
  list: events(first: $first, after: $after, filter: $filter) {{ {INFO}
    nodes {{ id action occurredAt actor {{ id }} subjectId subjectLabel message changes {{ label kind
      before {{ ...Value }} after {{ ...Value }} }} }} }} }}
fragment Value on ConfigValue {{
  ... on TextValue {{ text }} ... on NumberValue {{ number }} ... on NodeValue {{ key }}
  ... on SecretValue {{ reference }} ... on HiddenValue {{ isHidden }} }}"""


async def member_data(remote: Remote, email: str) -> Mapping[str, Any]:
    """Return the member and all that refers to them. Raises `Failed` if there is no such member."""
    member = await _member(remote, email)
    own = {"id": member["id"]}
    return {
        "member": member,
        "teams": [each async for each in nodes(remote, ROLES, **own)],
        "accessTokens": [each async for each in nodes(remote, TOKENS) if each.pop("actor")["id"] == member["id"]],
        "jobsCreated": [each async for each in nodes(remote, JOBS, **own)],
        "eventsOfMember": [each async for each in nodes(remote, EVENTS, filter={"actorIds": [member["id"]]})],
        "eventsAboutMember": [each async for each in nodes(remote, EVENTS, filter={"subjectIds": [member["id"]]})],
    }


async def _member(remote: Remote, email: str) -> Mapping[str, Any]:
    async for each in nodes(remote, MEMBERS):
        if each["email"] == stored_email(email):
            return each
    raise Failed(f"There is no member {email}.")


async def nodes(remote: Remote, query: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
    """Yield the items of all pages. The item of an edge has what the edge carries."""
    after = None
    while True:
        data = await remote.send(query, first=PAGE, after=after, **variables)
        page = (data.get("member") or data)["list"]
        for edge in page.get("edges", ()):
            yield {**edge["node"], "role": edge["role"]}
        for node in page.get("nodes", ()):
            yield node
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
