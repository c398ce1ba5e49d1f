import strawberry

from mainsheet.resolvers.commands import draft, job, organization, version
from mainsheet.schema import inputs, payloads
from mainsheet.schema.mutation_field import mutation
from mainsheet.schema.provisioning import ProvisioningMutation


@strawberry.type(description=("The mutations. Each mutation is one transaction: it makes all of its changes or none."))
class Mutation(ProvisioningMutation):
    create_job = mutation(
        job.create, inputs.CreateJobInput, payloads.JobPayload, "Create a job and its first published version."
    )
    update_job = mutation(
        job.update, inputs.UpdateJobInput, payloads.JobPayload, "Change the name, description, tags or status of a job."
    )
    delete_job = mutation(
        job.delete,
        inputs.DeleteJobInput,
        payloads.DeletedJobPayload,
        (
            "Delete a job with its versions and runs, after cancelling its unfinished runs. This can't be undone."
            " Refused while current versions or drafts of other jobs depend on it, unless `force` is true. Versions of"
            " other jobs keep their dependencies on it."
        ),
    )
    create_draft = mutation(
        draft.create,
        inputs.CreateDraftInput,
        payloads.DraftPayload,
        "Create a draft from the current version. A job has at most one draft.",
    )
    update_draft = mutation(draft.update, inputs.UpdateDraftInput, payloads.DraftPayload, "Change fields of the draft.")
    discard_draft = mutation(
        draft.discard, inputs.DiscardDraftInput, payloads.DiscardedDraftPayload, "Discard the draft of a job."
    )
    publish_draft = mutation(
        draft.publish,
        inputs.PublishDraftInput,
        payloads.VersionPayload,
        "Publish the draft: it becomes the current version and never changes again.",
    )
    create_version = mutation(
        version.create,
        inputs.CreateVersionInput,
        payloads.VersionPayload,
        "Create, change and publish a draft in one step. Refused while the job has a draft.",
    )
    activate_version = mutation(
        version.activate,
        inputs.ActivateVersionInput,
        payloads.VersionPayload,
        "Make a published version the current one, for example to roll back. Refused while the job has a draft.",
    )
    add_teams_to_job = mutation(
        job.add_teams, inputs.AddTeamsToJobInput, payloads.JobPayload, "Give teams access to a job."
    )
    remove_team_from_job = mutation(
        job.remove_team, inputs.RemoveTeamFromJobInput, payloads.JobPayload, "Remove a team's access to a job."
    )
    update_organization = mutation(
        organization.update,
        inputs.UpdateOrganizationInput,
        payloads.OrganizationPayload,
        "Rename the organization. Needs the organization role ADMIN.",
    )
