"""No mutation scans a whole table, in a database that is large enough to show it."""

from typing import Any

import pytest
from graphql import assert_object_type

from mainsheet.executor import core_schema
from mainsheet.models.database import Database
from mainsheet.schema.api import api
from testbed.ask import Ask
from tests.scale.conftest import Big
from tests.scale.lists import filled
from tests.scale.test_plans import plans, refuse_all_of_the_tenant

SQL = {"sqlSnapshot": {"sql": "SELECT 1"}}
FIELDS = {"createJob": "job { id }", "deleteJob": "deletedJobId", "updateOrganization": "organization { name }"}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("updateJob", {"name": "Other", "status": "PAUSED"}),
    ("createDraft", {"changes": {"maxRetries": 1}}),
    ("updateDraft", {"changes": {"dependencies": [{"jobId": "$job"}]}}),
    ("publishDraft", {"message": "Now"}),
    ("createVersion", {"changes": {"clusterId": "$cluster", "dependencies": []}, "idempotencyKey": "once"}),
    ("activateVersion", {"number": 2}),
    ("createDraft", {}),
    ("discardDraft", {}),
    ("addTeamsToJob", {"teamIds": ["$other"]}),
    ("removeTeamFromJob", {"teamId": "$other"}),
    ("deleteJob", {}),
)


TRIED = {"createDraft", "updateDraft", "publishDraft", "createVersion", "activateVersion"}  # with a dry run before


def test_every_mutation_is_tested() -> None:
    assert {"createJob", "updateOrganization", *(name for name, _ in STEPS)} == set(
        assert_object_type(core_schema(api).mutation_type).fields
    )


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_a_mutation_scans_no_table(big: Big, big_database: Database, ask_big: Ask, role: str) -> None:
    created = {"jobKey": f"big-{role}", "name": "Big", "teamIds": [big.ids["team"]]}
    config = {"clusterId": big.ids["cluster"], "source": SQL, "dependencies": [{"jobId": big.ids["job"]}]}
    answer = await _take(big, big_database, ask_big, role, "createJob", created | {"config": config})
    for name, given in STEPS:
        own = {"jobId": answer["job"]["id"]} | filled(given, big.ids)
        if name in TRIED:
            await _take(big, big_database, ask_big, role, name, own | {"dryRun": True})
        await _take(big, big_database, ask_big, role, name, own)


async def test_update_organization_scans_no_table(big: Big, big_database: Database, ask_big: Ask) -> None:
    await _take(big, big_database, ask_big, "admin", "updateOrganization", {"name": "Big", "dryRun": True})


async def _take(big: Big, database: Database, ask: Ask, role: str, name: str, given: dict[str, Any]) -> Any:
    """Run the step and check the plans of all its statements."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    answer = f"{FIELDS.get(name, 'job { id }')} userErrors {{ message }}"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {answer} }} }}"
    payload = (await ask(getattr(big, role), query, input=given))[name]
    assert payload["userErrors"] == []
    refuse_all_of_the_tenant(await plans(big, database, ask), name)
    return payload
