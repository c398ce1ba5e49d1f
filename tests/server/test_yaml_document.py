"""The strict YAML of our files: merge keys follow https://yaml.org/type/merge.html."""

from typing import Any

import pytest

from mainsheet.server.yaml_document import BadYaml, parsed

BASES = """
acme: &acme {issuer: acme, audience: mainsheet}
beta: &beta {<<: *acme, issuer: beta}
"""


@pytest.mark.parametrize(
    ("merging", "merged"),
    [
        ("{<<: *beta}", {"issuer": "beta", "audience": "mainsheet"}),
        ("{<<: *beta, audience: other}", {"issuer": "beta", "audience": "other"}),
        ("{<<: [*acme, *beta]}", {"issuer": "acme", "audience": "mainsheet"}),
        ("{<<: [*beta, *acme]}", {"issuer": "beta", "audience": "mainsheet"}),
        ("{<<: {<<: *beta, issuer: gamma}}", {"issuer": "gamma", "audience": "mainsheet"}),
        ("&self {<<: *self, issuer: own}", {"issuer": "own"}),
    ],
)
def test_the_nearest_value_of_merged_mappings_counts(merging: str, merged: dict[str, Any]) -> None:
    assert parsed(f"{BASES}merged: {merging}")["merged"] == merged


def test_single_letters_are_keys_as_others_are() -> None:
    assert parsed("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b}")["c"] == {"x": 2}


def test_a_mapping_is_merged_before_it_is_read_itself() -> None:
    document = parsed("in:\n  deep:\n    one: &one {x: 1}\n    two: &two {<<: *one, x: 2}\ntop: {<<: *two}")

    assert document == {"in": {"deep": {"one": {"x": 1}, "two": {"x": 2}}}, "top": {"x": 2}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: {<<: 1}", "<< needs a mapping"),
        ("a: {<<: [{}, 1]}", "<< needs a mapping"),
        ("a: {<<: {x: 1}, <<: {x: 2}}", "'<<' is there twice"),
        ("a: {<<: {x: 1, x: 2}}", "'x' is there twice"),
    ],
)
def test_wrong_merge_keys_are_refused(text: str, problem: str) -> None:
    with pytest.raises(BadYaml, match=problem):
        parsed(text)
