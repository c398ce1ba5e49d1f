"""Sends the steps of a plan: first as dry runs, where the mutation has one, then in earnest."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphql import assert_input_object_type

from mainsheet.server.job_files.plan import REFUSED, Fault
from mainsheet.server.job_files.remote import Remote
from mainsheet.server.organization_files.document import TYPES
from mainsheet.server.organization_files.kinds import BY_SECTION
from mainsheet.server.organization_files.plan import Call, Name, Step


async def checked(remote: Remote, steps: Sequence[Step], ids: Mapping[Name, str]) -> Sequence[Step]:
    """Return the steps, with those as refused that the server refuses in a dry run.

    A step that needs the id of an object that isn't created yet can't be checked, nor one that follows another or comes
    last: it may be refused only until the others are done.
    """
    return [await _checked(remote, each, ids) for each in steps]


async def _checked(remote: Remote, step: Step, ids: Mapping[Name, str]) -> Step:
    call = step.call
    if call is None or step.is_last or step.follows or "dryRun" not in _fields(call):
        return step
    if not ids.keys() >= set(call.names.values()):
        return step
    return (await _sent(remote, step, call, ids, dryRun=True))[0]


async def applied(
    remote: Remote, steps: Sequence[Step], ids: Mapping[Name, str], message: str | None
) -> AsyncIterator[Step]:
    """Send the steps one after the other, and yield each when it is done or refused."""
    known = dict(ids)
    for step in steps:
        call = step.call
        missing = [name for name in call.names.values() if name not in known] if call else []
        if call is None or step.outcome == REFUSED:
            yield step
        elif missing:
            yield _refused(step, [_not_created(*missing[0])])
        else:
            done, entity_id = await _sent(remote, step, call, known, message=message)
            if call.creates and entity_id:
                known[call.creates] = entity_id
            yield done


async def _sent(
    remote: Remote, step: Step, call: Call, ids: Mapping[Name, str], **options: Any
) -> tuple[Step, str | None]:
    """Return the step as it turned out, and the id of an object that it created."""
    own = {field: ids[name] for field, name in call.names.items()}
    known = {name: value for name, value in options.items() if name in _fields(call)}
    result = (await remote.send(_text(call), input={**call.input, **own, **known}))["result"]
    faults = [Fault(each["code"], ".".join(each["path"]), each["message"]) for each in result["userErrors"]]
    entity = result.get("entity")
    return (_refused(step, faults) if faults else step), entity and entity["id"]


def _text(call: Call) -> str:
    entity = f"entity: {BY_SECTION[call.creates[0]].entity} {{ id }}" if call.creates else ""
    type_ = _input_type(call)
    return f"""mutation Apply($input: {type_}!) {{
  result: {call.mutation}(input: $input) {{ {entity} userErrors {{ code path message }} }} }}"""


def _input_type(call: Call) -> str:
    return f"{call.mutation[0].upper()}{call.mutation[1:]}Input"


def _fields(call: Call) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = assert_input_object_type(TYPES[_input_type(call)]).fields
    return fields


def _refused(step: Step, faults: Sequence[Fault]) -> Step:
    return replace(step, outcome=REFUSED, faults=faults)


def _not_created(section: str, key: str) -> Fault:
    words = BY_SECTION[section].words
    return Fault("INVALID", words, f"The {words} {key} wasn't created.")
