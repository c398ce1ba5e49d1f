"""Provisioning mutations have a dry run and a reason, as mutations of jobs have."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLInputObjectType

from mainsheet.executor import core_schema
from mainsheet.models.database import Database
from mainsheet.schema.api import api
from testbed.ask import Ask
from testbed.world import World
from tests.api.test_dry_run import everything
from tests.api.test_provisioning_rights import MATRIX, errors, ids  # noqa: F401 a fixture

SCHEMA = core_schema(api)
ENABLED = {"enableMember": "disableMember", "enableServiceAccount": "disableServiceAccount"}
# A dry run could show no secret, and send nothing.
SENDING = {"rotateWebhookSecret", "testWebhook", "redeliverWebhook"}
WITHOUT = {"dryRun": {"createAccessToken", "createWebhook", *SENDING}, "message": set[str]()}
LAST = "{ events(last: 1, sortDirection: ASC) { nodes { message } } }"


def taking(field: str) -> list[str]:
    kinds = {name: SCHEMA.type_map[f"{name[0].upper()}{name[1:]}Input"] for name in MATRIX}
    return [name for name, kind in kinds.items() if isinstance(kind, GraphQLInputObjectType) and field in kind.fields]


def test_provisioning_mutations_take_a_dry_run_and_a_message() -> None:
    for field, without in WITHOUT.items():
        assert MATRIX.keys() - taking(field) == without, field


async def test_a_dry_run_changes_nothing(
    ask: Ask,
    world: World,
    database: Database,
    ids: Mapping[str, str],  # noqa: F811 the fixture
) -> None:
    before = await everything(database)
    for name in taking("dryRun"):
        assert await errors(ask, world.admin, name, {**MATRIX[name][0](ids), "dryRun": True}) == [], name
        assert await everything(database) == before, name


async def test_the_reason_is_kept_in_the_event(ask: Ask, world: World, ids: Mapping[str, str]) -> None:  # noqa: F811
    deleting_last = sorted(taking("message"), key=lambda each: each.startswith(("delete", "erase")))
    for name in deleting_last:
        values: dict[str, Any] = dict(MATRIX[name][0](ids))
        if name in ENABLED:
            await errors(ask, world.admin, ENABLED[name], values)
        too_long = await errors(ask, world.admin, name, {**values, "message": "m" * 1024})
        assert [(each["code"], each["path"]) for each in too_long] == [("INVALID", ["message"])], name

        assert await errors(ask, world.admin, name, {**values, "message": f"Why {name}"}) == [], name
        assert (await ask(world.admin, LAST))["events"]["nodes"] == [{"message": f"Why {name}"}]
