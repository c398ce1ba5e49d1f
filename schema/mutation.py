from typing import Annotated, Any

import strawberry
from graphql import GraphQLError
from strawberry.types import Info

from resolvers import write
from resolvers.changes import draft, job, version
from schema import inputs, payloads
from schema.context import Context
from schema.page import described
from schema.payloads import Payload
from schema.plain import plain
from schema.user_error import Problem

ABANDONED = "Not begun: the client left before."


def mutation(change: write.Change, input_type: type, payload_type: type, description: str) -> Any:
    """Declare a mutation: `change` gets the input's values by name, the payload is read after it."""

    async def resolve(root: Any, info: Info[Context, Any], input: Any) -> Any:  # noqa: ARG001 the resolver's protocol
        context = info.context
        if context.is_abandoned:  # each field is a transaction of its own: those before it are kept
            raise GraphQLError(ABANDONED)
        await context.close()  # a dry run before this one ends here and gives its lock back
        values = plain(input)
        options = {name: values.pop(name) for name in ("dry_run", "idempotency_key") if name in values}
        outcome = await write.Mutation(context.database, context.caller, change, values, **options).perform()
        await context.look_at(outcome.read)
        known = {"job_id": values.get("job_id"), "cancelled_runs": ()}
        return Payload(**{**known, **outcome.answer}, user_errors=[Problem(each) for each in outcome.problems])

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
