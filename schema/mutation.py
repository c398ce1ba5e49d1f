from dataclasses import fields
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from mainsheet.resolvers.commands import draft, job, organization, version
from mainsheet.resolvers.mutation import Call
from mainsheet.resolvers.write import Command
from mainsheet.schema import inputs, payloads
from mainsheet.schema.context import Context
from mainsheet.schema.page import described
from mainsheet.schema.plain import canonical, plain
from mainsheet.schema.user_error import Problem

ABANDONED = "Not begun: the client left before."
NOT_COMPARED = {"dryRun", "idempotencyKey"}


def mutation(command: Command, input_type: type, payload_type: type, description: str) -> Any:
    """Declare a mutation: the command gets the input's values by name, the payload is read after it."""

    async def resolve(root: Any, info: Info[Context, Any], input: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        context = info.context
        if context.is_abandoned:  # each field is a transaction of its own: those before it are kept
            raise GraphQLError(ABANDONED)
        await context.close()  # a command that waits for a lock must not keep the connection of the one before
        values = plain(input)
        options = {name: values.pop(name) for name in ("dry_run", "idempotency_key") if name in values}
        request = {name: each for name, each in canonical(input).items() if name not in NOT_COMPARED}
        call = Call(context.database, context.caller, command, values, request, **options)
        outcome = await call.perform()
        await context.look_at(outcome.read)
        named = {name: values[name] for name in keys & values.keys()}  # a refused payload shows what the input names
        return payload_type(**{**named, **outcome.answer}, user_errors=[Problem(each) for each in outcome.problems])

    keys = {each.name for each in fields(payload_type)}
    resolve.__annotations__["input"] = Annotated[input_type, described("What to change, and how.")]
    return strawberry.mutation(resolver=resolve, graphql_type=payload_type, description=description)


@strawberry.type(description="All that changes something. Each is done whole or not at all.")
class Mutation:
    create_job = mutation(
        job.create, inputs.CreateJobInput, payloads.JobPayload, "Create a job and its first version, which is current."
    )
    update_job = mutation(
        job.update, inputs.UpdateJobInput, payloads.JobPayload, "Change a job's name, description or status."
    )
    delete_job = mutation(
        job.delete,
        inputs.DeleteJobInput,
        payloads.DeleteJobPayload,
        "Cancel a job's unfinished runs and delete it with all its versions and runs, for ever.",
    )
    create_draft = mutation(
        draft.create,
        inputs.CreateDraftInput,
        payloads.DraftPayload,
        "Copy the current version into a draft; a job has at most one.",
    )
    update_draft = mutation(
        draft.update, inputs.UpdateDraftInput, payloads.DraftPayload, "Change the fields of the draft that are given."
    )
    discard_draft = mutation(
        draft.discard, inputs.DiscardDraftInput, payloads.DiscardDraftPayload, "Delete the draft; the job goes on."
    )
    publish_draft = mutation(
        draft.publish,
        inputs.PublishDraftInput,
        payloads.VersionPayload,
        "Freeze the draft and make it the current version.",
    )
    create_version = mutation(
        version.create,
        inputs.CreateVersionInput,
        payloads.VersionPayload,
        "Draft, change and publish in one step; refused while there is a draft.",
    )
    activate_version = mutation(
        version.activate,
        inputs.ActivateVersionInput,
        payloads.VersionPayload,
        "Make a published version current, as in a roll-back; refused while there is a draft.",
    )
    add_teams_to_job = mutation(
        job.add_teams, inputs.AddTeamsToJobInput, payloads.JobPayload, "Share a job with more teams."
    )
    remove_team_from_job = mutation(
        job.remove_team, inputs.RemoveTeamFromJobInput, payloads.JobPayload, "Take a job from a team."
    )
    update_organization = mutation(
        organization.update,
        inputs.UpdateOrganizationInput,
        payloads.UpdateOrganizationPayload,
        "Rename your organization; only its administrators may.",
    )
