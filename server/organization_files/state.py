"""Reads an organization from a server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mainsheet.models.member import erased_email
from mainsheet.server.job_files.document import Document
from mainsheet.server.job_files.remote import Failed, Remote
from mainsheet.server.organization_files.document import shown
from mainsheet.server.organization_files.kinds import KINDS, TEAMS_OF_ACTOR, Kind

PAGE = 50
WHO = "query ReadOrganization { organization { name } me { actor { id } } }"


@dataclass(frozen=True)
class Existing:
    """An object of the server. `values` has all fields of its document except for the roles."""

    id: str
    revision: int
    values: Mapping[str, Any]
    roles: Mapping[str, str]

    @property
    def managed_by(self) -> str | None:
        name: str | None = self.values.get("managedBy")
        return name


@dataclass(frozen=True)
class State:
    """What an organization has, and the actor whose token was used."""

    organization: str
    actor_id: str
    objects: Mapping[str, Sequence[Existing]]

    def document(self) -> Document:
        """Return the document of everything, which leaves the organization as it is."""
        sections = {kind.section: [_document(kind, each) for each in self.objects[kind.section]] for kind in KINDS}
        return {"organization": self.organization, **sections}


def _document(kind: Kind, existing: Existing) -> Document:
    roles = [{"team": team, "role": role} for team, role in existing.roles.items()]
    return {**shown(kind, existing.values), **({"teams": roles} if kind.is_actor else {})}


async def read(remote: Remote) -> State:
    who = await remote.send(WHO)
    objects = {kind.section: await _objects(remote, kind) for kind in KINDS}
    return State(who["organization"]["name"], who["me"]["actor"]["id"], objects)


async def _objects(remote: Remote, kind: Kind) -> Sequence[Existing]:
    query = f"""query Read{kind.noun}s($first: Int!, $after: String) {{
      list: {kind.section}(first: $first, after: $after) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ id revision {kind.selection} }} }} }}"""
    found, after = list[Existing](), None
    while True:
        page = (await remote.send(query, first=PAGE, after=after))["list"]
        found += [await _existing(remote, kind, each) for each in page["nodes"] if not _is_erased(each)]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def _is_erased(node: Mapping[str, Any]) -> bool:
    return node.get("email") == erased_email(node["id"])


async def _existing(remote: Remote, kind: Kind, node: Mapping[str, Any]) -> Existing:
    values = {name: value for name, value in node.items() if name not in {"id", "revision", "teams", "team"}}
    if "team" in node:
        values["team"] = node["team"] and node["team"]["name"]
    roles = await _roles(remote, kind, node) if kind.is_actor else {}
    return Existing(node["id"], node["revision"], values, roles)


async def _roles(remote: Remote, kind: Kind, node: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the role in each team by the team's name."""
    query = f"""query ReadRoles($id: ID!, $after: String) {{
      actor: {kind.entity}(id: $id) {{ {TEAMS_OF_ACTOR.replace("first: 100", "first: 100, after: $after")} }} }}"""
    page, roles = node["teams"], dict[str, str]()
    while True:
        roles |= {edge["node"]["name"]: edge["role"] for edge in page["edges"]}
        if not page["pageInfo"]["hasNextPage"]:
            return roles
        actor = (await remote.send(query, id=node["id"], after=page["pageInfo"]["endCursor"]))["actor"]
        if actor is None:
            raise Failed(f"The {kind.words} {node[kind.key]} was deleted meanwhile. Run the command again.")
        page = actor["teams"]
