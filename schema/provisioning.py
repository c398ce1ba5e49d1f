"""The mutations that change actors, tokens, teams, clusters and saved queries."""

import strawberry

from mainsheet.resolvers.commands import access_token, cluster, member, saved_query, service_account, team
from mainsheet.schema import payloads
from mainsheet.schema import provisioning_inputs as inputs
from mainsheet.schema.mutation_field import mutation

BY_ADMINISTRATORS = "Needs the organization role ADMIN."
BY_TEAM = "Needs the role ADMIN in the team, or the organization role ADMIN."
BY_EDITORS = (
    "Needs the role CONTRIBUTOR or ADMIN in its team, or the organization role ADMIN; and the permission EDIT on each"
    " job whose current version runs it."
)


@strawberry.type
class ProvisioningMutation:
    create_team = mutation(
        team.create, inputs.CreateTeamInput, payloads.TeamPayload, f"Create a team. {BY_ADMINISTRATORS}"
    )
    update_team = mutation(team.update, inputs.UpdateTeamInput, payloads.TeamPayload, f"Change a team. {BY_TEAM}")
    delete_team = mutation(
        team.delete,
        inputs.DeleteTeamInput,
        payloads.DeletedTeamPayload,
        f"Delete a team that has access to no job. {BY_ADMINISTRATORS}",
    )
    set_team_role = mutation(
        team.set_role,
        inputs.SetTeamRoleInput,
        payloads.TeamPayload,
        f"Add a member or service account to a team, or change its role in it. {BY_TEAM}",
    )
    remove_from_team = mutation(
        team.remove,
        inputs.RemoveFromTeamInput,
        payloads.TeamPayload,
        f"Remove a member or service account from a team. {BY_TEAM}",
    )
    create_member = mutation(
        member.create, inputs.CreateMemberInput, payloads.MemberPayload, f"Add a member. {BY_ADMINISTRATORS}"
    )
    update_member = mutation(
        member.update, inputs.UpdateMemberInput, payloads.MemberPayload, f"Change a member. {BY_ADMINISTRATORS}"
    )
    disable_member = mutation(
        member.disable,
        inputs.DisableMemberInput,
        payloads.MemberPayload,
        "Disable a member: all of its tokens stop working within a second. Refused for the last active administrator."
        f" {BY_ADMINISTRATORS}",
    )
    enable_member = mutation(
        member.enable, inputs.EnableMemberInput, payloads.MemberPayload, f"Enable a member. {BY_ADMINISTRATORS}"
    )
    erase_member = mutation(
        member.erase,
        inputs.EraseMemberInput,
        payloads.MemberPayload,
        "Replace the name and email address of a member by others and disable the member, for good. The member's past"
        " changes stay in the history, under the new name."
        f" Refused for the last active administrator. {BY_ADMINISTRATORS}",
    )
    create_service_account = mutation(
        service_account.create,
        inputs.CreateServiceAccountInput,
        payloads.ServiceAccountPayload,
        f"Create a service account. {BY_ADMINISTRATORS}",
    )
    update_service_account = mutation(
        service_account.update,
        inputs.UpdateServiceAccountInput,
        payloads.ServiceAccountPayload,
        f"Change a service account. {BY_ADMINISTRATORS}",
    )
    disable_service_account = mutation(
        service_account.disable,
        inputs.DisableServiceAccountInput,
        payloads.ServiceAccountPayload,
        f"Disable a service account: all of its tokens stop working within a second. {BY_ADMINISTRATORS}",
    )
    enable_service_account = mutation(
        service_account.enable,
        inputs.EnableServiceAccountInput,
        payloads.ServiceAccountPayload,
        f"Enable a service account. {BY_ADMINISTRATORS}",
    )
    create_access_token = mutation(
        access_token.create,
        inputs.CreateAccessTokenInput,
        payloads.NewAccessTokenPayload,
        (
            "Create an access token for yourself or, as an administrator, for a service account. A member or"
            " service account has at most 100 valid tokens, an organization 10,000. To rotate a token, create"
            " another one, and revoke the old one when no client uses it any longer."
        ),
    )
    revoke_access_token = mutation(
        access_token.revoke,
        inputs.RevokeAccessTokenInput,
        payloads.AccessTokenPayload,
        "Revoke an access token of your own or, as an administrator, any. It stops working within a second.",
    )
    create_cluster = mutation(
        cluster.create, inputs.CreateClusterInput, payloads.ClusterPayload, f"Add a cluster. {BY_ADMINISTRATORS}"
    )
    update_cluster = mutation(
        cluster.update, inputs.UpdateClusterInput, payloads.ClusterPayload, f"Change a cluster. {BY_ADMINISTRATORS}"
    )
    delete_cluster = mutation(
        cluster.delete,
        inputs.DeleteClusterInput,
        payloads.DeletedClusterPayload,
        f"Delete a cluster that no version of a job uses. {BY_ADMINISTRATORS}",
    )
    create_saved_query = mutation(
        saved_query.create,
        inputs.CreateSavedQueryInput,
        payloads.SavedQueryPayload,
        (
            "Create a saved query of a team. Needs the role CONTRIBUTOR or ADMIN in the team, or the"
            " organization role ADMIN."
        ),
    )
    update_saved_query = mutation(
        saved_query.update,
        inputs.UpdateSavedQueryInput,
        payloads.SavedQueryPayload,
        f"Change a saved query. Runs that are claimed from now on execute the new text. {BY_EDITORS}",
    )
    delete_saved_query = mutation(
        saved_query.delete,
        inputs.DeleteSavedQueryInput,
        payloads.DeletedSavedQueryPayload,
        f"Delete a saved query that no version of a job uses. {BY_EDITORS}",
    )
