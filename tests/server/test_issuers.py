"""The configuration of OpenID Connect issuers."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mainsheet.models.roles import OrganizationRole, TeamRole
from mainsheet.resolvers.commands.sign_in import Roles
from mainsheet.server.auth.issuers import IssuerSettings, configured
from mainsheet.server.settings import Settings
from tests.server.commands import invoke, mainsheet

DOCUMENTATION = Path(__file__).parents[2] / "docs/openid-connect.md"
ENTRY: dict[str, Any] = {"issuer": "https://id.acme.example", "audience": "mainsheet", "organization": "OR0"}
ONE_TEAM = {"teams": {"TM0": "VIEWER"}}


def read(path: Path, document: Any) -> Any:
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return configured(Settings(oidc_file=path))


def test_the_file_in_the_documentation_is_valid(tmp_path: Path) -> None:
    _, _, rest = DOCUMENTATION.read_text("utf-8").partition("```yaml\n")

    [issuer] = read(tmp_path / "oidc.yaml", rest.partition("```")[0])

    assert issuer.create_members.domains == {"acme.example"}
    assert issuer.roles(["platform-admins"]).organization is OrganizationRole.ADMIN


def test_the_documentation_has_each_key() -> None:
    table = DOCUMENTATION.read_text("utf-8").partition("| key |")[2].partition("\n\n")[0]

    assert [name for name in IssuerSettings.model_fields if f"`{name}`" not in table] == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "Input should be"),
        ("a: [", "isn't YAML"),
        ("[" * 10_000, "isn't YAML"),
        ("issuers: []\nissuers: []", "isn't YAML: 'issuers' is there twice"),
        ("issuers: !!bool foo", "isn't YAML: the value isn't a !!bool"),
        ({"issuers": []}, "issuers: "),
        ({"issuers": [ENTRY], "more": 1}, "more: Extra"),
        ({"issuers": [ENTRY | {"isuer": 1}]}, "issuers.0.isuer: Extra"),
        ({"issuers": [{**ENTRY, "audience": ""}]}, "issuers.0.audience: "),
        ({"issuers": [ENTRY | {"organization": "acme"}]}, "issuers.0.organization: "),
        ({"issuers": [ENTRY | {"algorithms": ["HS256"]}]}, "issuers.0.algorithms.0: "),
        ({"issuers": [ENTRY | {"algorithms": []}]}, "issuers.0.algorithms: "),
        ({"issuers": [ENTRY | {"scopes": ["ALL"]}]}, "issuers.0.scopes.0: "),
        ({"issuers": [ENTRY | {"create_members": {}}]}, "issuers.0.create_members: .*name domains or claims"),
        ({"issuers": [ENTRY | {"create_members": {"domains": ["@acme.example"]}}]}, "create_members.domains.0: "),
        ({"issuers": [ENTRY | {"groups": {"a": {"teams": {"etl": "VIEWER"}}}}]}, "groups.a.teams.etl"),
        ({"issuers": [ENTRY | {"groups": {"a": {"teams": {"TM0": "OWNER"}}}}]}, "groups.a.teams.TM0: "),
        ({"issuers": [ENTRY | {"service_accounts": {"plane": "plane"}}]}, "service_accounts.plane: "),
        ({"issuers": [ENTRY | {"jwks_url": "https://x", "jwks_file": "x"}]}, "issuers.0: .*not both"),
        ({"issuers": [ENTRY, ENTRY | {"organization": "OR1"}]}, "the same issuer and audience"),
        (
            {"issuers": [ENTRY | {"groups": {"a": ONE_TEAM}}, ENTRY | {"audience": "b", "groups": {"b": ONE_TEAM}}]},
            "give different roles by groups",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_file_is_refused(tmp_path: Path, document: Any, problem: str) -> None:
    path = tmp_path / "oidc.yaml"

    with pytest.raises(ValueError, match=f"^MAINSHEET_OIDC_FILE: {path}.*{problem}"):
        read(path, document)


def test_a_file_that_cant_be_read_is_one_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'acme.sqlite3'}"
    invoke("db", "upgrade", "--database-url", url)

    refused = mainsheet("serve", "--port", "0", "--database-url", url, MAINSHEET_OIDC_FILE=str(tmp_path / "none.yaml"))

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"Error: MAINSHEET_OIDC_FILE: {tmp_path / 'none.yaml'} can't be read: No such file or directory"
    )


def test_a_file_and_an_issuer_of_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        configured(Settings(oidc_file=tmp_path / "oidc.yaml", oidc_issuer="https://id.acme.example"))


def test_a_wrong_setting_of_the_only_issuer_is_named() -> None:
    settings = Settings(oidc_issuer="https://id.acme.example", oidc_audience="jobs", oidc_organization="acme")

    with pytest.raises(ValueError, match=r"^MAINSHEET_OIDC_ORGANIZATION: "):
        configured(settings)


@pytest.mark.parametrize(
    ("groups", "of", "roles"),
    [
        ({}, ["a"], Roles(None, {})),
        ({"a": ONE_TEAM}, [], Roles(None, {"TM0": None})),
        (
            {"a": ONE_TEAM, "b": {"teams": {"TM0": "ADMIN", "TM1": "VIEWER"}}},
            ["a"],
            Roles(None, {"TM0": TeamRole.VIEWER, "TM1": None}),
        ),
        (
            {"a": ONE_TEAM, "b": {"organization_role": "AUDITOR"}},
            ["a"],
            Roles(OrganizationRole.MEMBER, {"TM0": TeamRole.VIEWER}),
        ),
    ],
    ids=str,
)
def test_groups_decide_only_what_they_name(groups: Any, of: list[str], roles: Roles) -> None:
    assert IssuerSettings(**ENTRY, groups=groups).roles(of) == roles
