"""Compares an organization document with a server: each step is one mutation, in the order in which they are sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mainsheet.server.job_files.document import Document
from mainsheet.server.job_files.plan import CHANGED, CREATED, DELETED, REFUSED, UNCHANGED, Difference, Fault
from mainsheet.server.organization_files.document import wanted
from mainsheet.server.organization_files.kinds import BY_SECTION, KINDS, Kind
from mainsheet.server.organization_files.state import Existing, State

Name = tuple[str, str]  # the section and the key of an object


@dataclass(frozen=True)
class Call:
    """A mutation. `names` are the objects whose ids its input has; an object that it creates has the name `creates`."""

    mutation: str
    input: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    creates: Name | None = None


@dataclass(frozen=True)
class Step:
    """What applying a part of the document does, or did. `label` names the object. Unchanged objects have no call.

    The steps that change the token's owner are the last ones, because others may need the owner's role. A step that
    `follows` another would be refused until that one is done.
    """

    label: str
    place: str
    outcome: str
    call: Call | None = None
    differences: Sequence[Difference] = ()
    faults: Sequence[Fault] = ()
    is_last: bool = False
    follows: bool = False

    @property
    def heading(self) -> Mapping[str, str]:
        return {"object": self.label, "file": self.place}


@dataclass(frozen=True)
class Pair:
    """An object of the document and that of the server, if there is one."""

    kind: Kind
    document: Document
    existing: Existing | None

    @property
    def name(self) -> Name:
        return self.kind.section, self.document[self.kind.key]

    @property
    def name_before(self) -> Name | None:
        return (self.kind.section, self.existing.values[self.kind.key]) if self.existing else None

    @property
    def label(self) -> str:
        return f"{self.kind.words} {self.name[1]}"


class Plan:
    """The steps, and the ids of the objects that the server has, by the names that the steps give them.

    Objects are found by `externalId`, then by their key. `managed_by` is the system for which the command acts: what
    another system manages isn't changed. With `prune`, what the document doesn't have is deleted, or disabled.
    """

    def __init__(self, document: Document, state: State, place: str, *, managed_by: str | None, prune: bool) -> None:
        self._state, self._place, self._managed_by, self._prune = state, place, managed_by, prune
        teams = list(_paired(BY_SECTION["teams"], document, state.objects["teams"]))
        renamed = {each.existing.values["name"]: each.name[1] for each in teams if each.existing}
        objects = {section: [_renamed(each, renamed) for each in found] for section, found in state.objects.items()}
        pairs = [list(_paired(kind, document, objects[kind.section])) for kind in KINDS]
        self._pairs = [pair for each in pairs for pair in _freed_first(each)]
        self._sections = [kind for kind in KINDS if kind.section in document]
        self._given_up = {each.name_before for each in self._pairs if each.name_before != each.name}
        paired = {each.existing.id for each in self._pairs if each.existing}
        self._left_over = {
            (kind.section, each.values[kind.key]): each
            for kind in KINDS
            for each in state.objects[kind.section]
            if each.id not in paired
        }
        after = self._left_over | {each.name: each.existing for each in self._pairs if each.existing}
        self.ids = {name: each.id for name, each in after.items()}
        self._teams: dict[str, str | None] = {
            each.name[1]: None for each in self._pairs if each.kind.section == "teams"
        }
        self._teams |= {key: each.managed_by for (section, key), each in after.items() if section == "teams"}
        self.kept: list[str] = []
        steps = [self._ordered(self._guarded(each)) for each in self._steps()]
        self.steps = sorted(steps, key=lambda each: each.is_last)

    def _steps(self) -> Iterator[Step]:
        for pair in self._pairs:
            yield from self._object(pair)
            if pair.kind.is_actor:
                yield from self._roles(pair)
        for kind in reversed(self._sections):
            yield from self._removed(kind)

    def _object(self, pair: Pair) -> Iterator[Step]:
        values = wanted(pair.kind, pair.document)
        if pair.existing is None:
            yield from self._created(pair, values)
            return
        differences = list(_differences(pair.existing.values, values))
        if not differences:
            yield Step(pair.label, self._place, UNCHANGED)
        elif self._is_others(pair.existing.managed_by):
            yield self._refused(pair.label, f"{pair.existing.managed_by} manages it.", differences)
        else:
            yield from self._changed(pair, pair.existing, differences, values)

    def _created(self, pair: Pair, values: Mapping[str, Any]) -> Iterator[Step]:
        own, names = _input(pair.kind, values)
        if pair.kind.section == "savedQueries" and "teamId" not in names:
            yield self._refused(pair.label, "A new saved query needs a team.", path="team")
            return
        is_disabled = pair.kind.is_actor and own.pop("status", None) == "DISABLED"
        call = Call(f"create{pair.kind.noun}", own, names, creates=pair.name)
        yield Step(pair.label, self._place, CREATED, call, follows=pair.name in self._given_up)
        if is_disabled:
            yield self._status(pair.kind, pair.name[1], "DISABLED", {}, {pair.kind.id_field: pair.name})

    def _changed(
        self, pair: Pair, existing: Existing, differences: Sequence[Difference], values: Mapping[str, Any]
    ) -> Iterator[Step]:
        kind, revision = pair.kind, existing.revision
        is_status = [kind.is_actor and each.path == "status" for each in differences]
        plain = [each for each, own in zip(differences, is_status, strict=True) if not own]
        if plain:
            own, names = _input(kind, {each.path: values[each.path] for each in plain})
            call = Call(
                f"update{kind.noun}", {**own, "expectedRevision": revision}, {**names, kind.id_field: pair.name}
            )
            yield Step(pair.label, self._place, CHANGED, call, plain, follows=pair.name in self._given_up)
            revision += 1
        if any(is_status):
            revised, names = {"expectedRevision": revision}, {kind.id_field: pair.name}
            yield replace(self._status(kind, pair.name[1], values["status"], revised, names), follows=bool(plain))

    def _status(self, kind: Kind, key: str, status: str, input: Mapping[str, Any], names: Mapping[str, Name]) -> Step:
        verb, before = ("disable", "ACTIVE") if status == "DISABLED" else ("enable", "DISABLED")
        call = Call(f"{verb}{kind.noun}", input, names)
        difference = Difference("CHANGED", "status", before, status)
        return Step(f"{kind.words} {key}", self._place, CHANGED, call, [difference])

    def _roles(self, pair: Pair) -> Iterator[Step]:
        if pair.document.get("teams") is None:
            return
        before: Mapping[str, str] = pair.existing.roles if pair.existing else {}
        after = {each["team"]: each["role"] for each in pair.document["teams"]}
        for team, role in after.items():
            if before.get(team) != role:
                yield self._role(pair.name, team, before.get(team), role)
        for team, role in before.items():
            if team not in after and not self._is_others(self._teams.get(team)):
                yield from self._pruned(self._role(pair.name, team, role, None))

    def _role(self, actor: Name, team: str, before: str | None, after: str | None) -> Step:
        label = f"{BY_SECTION[actor[0]].words} {actor[1]} in {team}"
        if team not in self._teams:
            return self._refused(label, f"There is no team {team!r}.", path="team", code="TEAM_NOT_FOUND")
        if self._is_others(self._teams[team]):
            return self._refused(label, f"{self._teams[team]} manages the team.")
        names = {"teamId": ("teams", team), "actorId": actor}
        difference = Difference(
            "CHANGED" if before and after else "ADDED" if after else "REMOVED", "role", before, after
        )
        call = Call("setTeamRole", {"role": after}, names) if after else Call("removeFromTeam", {}, names)
        outcome = CHANGED if before and after else CREATED if after else DELETED
        return Step(label, self._place, outcome, call, [difference])

    def _removed(self, kind: Kind) -> Iterator[Step]:
        for name, each in self._left_over.items():
            is_own = each.id == self._state.actor_id or each.values.get("status") == "DISABLED"
            if name[0] != kind.section or self._is_others(each.managed_by) or (kind.is_actor and is_own):
                continue
            own = {"expectedRevision": each.revision, kind.id_field: each.id}  # a renamed object may get its name
            if kind.is_actor:
                yield from self._pruned(self._status(kind, name[1], "DISABLED", own, {}))
            else:
                call = Call(f"delete{kind.noun}", own)
                yield from self._pruned(Step(f"{kind.words} {name[1]}", self._place, DELETED, call))

    def _pruned(self, step: Step) -> Iterator[Step]:
        if self._prune:
            yield step
        else:
            self.kept.append(step.label)

    def _guarded(self, step: Step) -> Step:
        """Refuse a step whose objects neither the server nor the document has."""
        created = {pair.name for pair in self._pairs}
        for name in step.call.names.values() if step.call else ():
            if name not in self.ids and name not in created:
                return self._refused(step.label, f"There is no {BY_SECTION[name[0]].words} {name[1]!r}.", path="team")
        return step

    def _ordered(self, step: Step) -> Step:
        ids = [self.ids.get(name) for name in step.call.names.values()] if step.call else []
        return replace(step, is_last=self._state.actor_id in ids)

    def _is_others(self, managed_by: str | None) -> bool:
        return managed_by is not None and managed_by != self._managed_by

    def _refused(
        self,
        label: str,
        reason: str,
        differences: Sequence[Difference] = (),
        *,
        path: str = "managedBy",
        code: str = "INVALID",
    ) -> Step:
        return Step(label, self._place, REFUSED, None, differences, [Fault(code, path, reason)])


def _renamed(existing: Existing, teams: Mapping[str, str]) -> Existing:
    """Return the object with the names that teams will have after the plan."""
    values = {**existing.values, **({"team": teams.get(team, team)} if (team := existing.values.get("team")) else {})}
    roles = sorted(existing.roles.items(), key=lambda each: each[0] in teams)  # the last one with a name has it
    return replace(existing, values=values, roles={teams.get(team, team): role for team, role in roles})


def _paired(kind: Kind, document: Document, existing: Sequence[Existing]) -> Iterator[Pair]:
    """Pair the objects of a section, first by their external ids, then by their keys."""
    documents: Sequence[Document] = document.get(kind.section, ())
    by_external = {each.values.get("externalId"): each for each in existing if each.values.get("externalId")}
    found = {index: by_external.get(each.get("externalId")) for index, each in enumerate(documents)}
    taken = {each.id for each in found.values() if each}
    by_key = {each.values[kind.key]: each for each in existing if each.id not in taken}
    for index, each in enumerate(documents):
        yield Pair(kind, each, found[index] or by_key.get(each[kind.key]))


def _freed_first(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the pairs, but before each one the pair that has its name now and gives it up."""
    holders = {each.name_before: each for each in pairs}
    done: set[Name] = set()
    for each in pairs:
        chain = [each]
        while (holder := holders.get(chain[-1].name)) and holder not in chain:
            chain.append(holder)
        for pair in reversed(chain):
            if pair.name not in done:
                done.add(pair.name)
                yield pair


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in after.items():
        old = before.get(name)
        if value != old:
            yield Difference("ADDED" if old is None else "REMOVED" if value is None else "CHANGED", name, old, value)


def _input(kind: Kind, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Name]]:
    """Return the input of the values, and the team whose id it needs."""
    team = values.get("team") if kind.section == "savedQueries" else None
    return {name: each for name, each in values.items() if name != "team"}, {"teamId": ("teams", team)} if team else {}
