"""The life of a job as a client sees it, from its creation to a rollback."""

from testbed.ask import Ask
from testbed.world import World

CREATE_DRAFT = """
mutation ($input: CreateDraftInput!) {
  createDraft(input: $input) { draft { number basedOn { number } } userErrors { code } }
}
"""
PUBLISH = """
mutation ($input: PublishDraftInput!) {
  publishDraft(input: $input) {
    version { number status message }
    job { currentVersion { number } }
    userErrors { code }
  }
}
"""
ACTIVATE = """
mutation ($input: ActivateVersionInput!) {
  activateVersion(input: $input) { job { currentVersion { number } } userErrors { code } }
}
"""
HISTORY = "query ($id: ID!) { job(id: $id) { revision events { nodes { action fromVersionNumber toVersionNumber } } } }"


async def test_a_draft_is_published_and_rolled_back(ask: Ask, world: World) -> None:
    job_id = await ask.create_job(world.contributor, world)
    drafted = await ask(world.contributor, CREATE_DRAFT, input={"jobId": job_id, "changes": {"maxRetries": 3}})
    published = await ask(world.contributor, PUBLISH, input={"jobId": job_id, "message": "more patience"})
    rolled_back = await ask(world.contributor, ACTIVATE, input={"jobId": job_id, "number": 1})
    seen = await ask(world.viewer, HISTORY, id=job_id)

    assert drafted["createDraft"] == {"draft": {"number": 2, "basedOn": {"number": 1}}, "userErrors": []}
    assert published["publishDraft"]["version"] == {
        "number": 2,
        "status": "PUBLISHED",
        "message": "more patience",
    }
    assert rolled_back["activateVersion"] == {"job": {"currentVersion": {"number": 1}}, "userErrors": []}
    assert seen["job"] == {
        "revision": 4,
        "events": {
            "nodes": [
                {"action": "VERSION_ACTIVATED", "fromVersionNumber": 2, "toVersionNumber": 1},
                {"action": "DRAFT_PUBLISHED", "fromVersionNumber": 1, "toVersionNumber": 2},
                {"action": "DRAFT_CREATED", "fromVersionNumber": 1, "toVersionNumber": 2},
                {"action": "JOB_CREATED", "fromVersionNumber": None, "toVersionNumber": 1},
            ]
        },
    }
