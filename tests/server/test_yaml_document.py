"""The strict YAML of our files: merge keys follow https://yaml.org/type/merge.html, and values are the same in 1.2."""

import re
from typing import Any

import pytest

from mainsheet.server.job_files.files import text_of
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


@pytest.mark.parametrize(("text", "before", "now"), [("010", "8", "10"), ("-0777", "-511", "-777")])
def test_a_number_that_yaml_1_1_and_1_2_read_differently_is_refused(text: str, before: str, now: str) -> None:
    reason = f"{text} is {before} in YAML 1.1 and {now} in YAML 1.2: write the one that you mean"
    for document in (f"a: {text}", f"[{text}]", f"{text}: a"):
        with pytest.raises(BadYaml, match=re.escape(reason)):
            parsed(document)


def test_what_yaml_1_1_and_1_2_read_alike_is_accepted() -> None:
    alike = (
        "[0, 10, -3, +3, 007, 0x1F, 1.5, 1., .5, 1.5e+3, true, False, null, ~, 2026-01-02, 1.2.3, =, '010', \"yes\"]"
    )
    values = [0, 10, -3, 3, 7, 31, 1.5, 1.0, 0.5, 1500.0, True, False, None, None]

    assert parsed(alike) == [*values, "2026-01-02", "1.2.3", "=", "010", "yes"]


@pytest.mark.parametrize("text", ["010", "08", "0o17", "1_000", "1:30", "1e3", "yes", "=", "2026-01-02", "<<", "~", ""])
def test_texts_that_look_like_other_values_are_written_in_quotes(text: str) -> None:
    assert text_of({"value": text}) == f"value: '{text}'\n"
    assert parsed(text_of({"value": text})) == {"value": text}
