"""Each page of Strawberry's documentation has tests, or a reason why it has none.

The newest documentation that we could read is that of 0.324.0. What came later is known by what the package exports.
"""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
import strawberry.extensions
import strawberry.extensions.tracing
import strawberry.field_extensions

HERE = Path(__file__).parent
CHECKED_AT = "0.341.2"

FRAMEWORK = "another framework's view, which calls the schema as aiohttp's does"
TOOL = "describes a tool that executes nothing"
WITHOUT_TESTS = {
    "index": "its example is in general/schema-basics",
    "faq": "its examples are in types/private and types/lazy",
    "errors": "exceptions of wrong definitions: there is no schema to execute",
    "breaking-changes": "history",
    "general/upgrades": TOOL,
    "codegen/query-codegen": TOOL,
    "codegen/schema-codegen": TOOL,
    "cli/locate-definition": TOOL,
    "editors/mypy": TOOL,
    "editors/vscode": TOOL,
    "concepts/typings": "maps Python's types to GraphQL's; types/* has them",
    "guides/server": "a command that serves the schema with Starlette, which calls it as aiohttp's view does",
    "guides/pagination/overview": "compares the three other pages",
    "extensions/datadog": "needs ddtrace; it has `resolve`, as extensions/apollo-tracing",
    "extensions/sentry-tracing": "Strawberry has removed it",
    "federation/introduction": "its example is in federation/entities",
    "federation/custom_directives": "changes the SDL only",
    "operations/deployment": "its extensions have their own pages",
    "operations/tracing": "its extensions have their own pages",
    "integrations/index": "an overview",
    "integrations/creating-an-integration": "an integration calls the schema as aiohttp's view does",
    "integrations/asgi": FRAMEWORK,
    "integrations/chalice": FRAMEWORK,
    "integrations/channels": FRAMEWORK,
    "integrations/django": FRAMEWORK,
    "integrations/fastapi": FRAMEWORK,
    "integrations/flask": FRAMEWORK,
    "integrations/litestar": FRAMEWORK,
    "integrations/quart": FRAMEWORK,
    "integrations/sanic": FRAMEWORK,
    "integrations/starlette": FRAMEWORK,
}
WITH_TESTS = [
    "concepts/async",
    "extensions/add-validation-rules",
    "extensions/apollo-federation-tracing",
    "extensions/apollo-tracing",
    "extensions/disable-introspection",
    "extensions/disable-validation",
    "extensions/input-mutation",
    "extensions/mask-errors",
    "extensions/max-aliases-limiter",
    "extensions/max-tokens-limiter",
    "extensions/opentelemetry",
    "extensions/parser-cache",
    "extensions/pydantic_error_extension",
    "extensions/pyinstrument",
    "extensions/query-depth-limiter",
    "extensions/validation-cache",
    "federation/entities",
    "federation/entity-interfaces",
    "general/multipart-subscriptions",
    "general/mutations",
    "general/queries",
    "general/schema-basics",
    "general/subscriptions",
    "guides/accessing-parent-data",
    "guides/authentication",
    "guides/convert-to-dictionary",
    "guides/custom-extensions",
    "guides/dataloaders",
    "guides/errors",
    "guides/federation",
    "guides/federation-v1",
    "guides/field-extensions",
    "guides/file-upload",
    "guides/pagination/connections",
    "guides/pagination/cursor-based",
    "guides/pagination/offset-based",
    "guides/permissions",
    "guides/query-batching",
    "guides/relay",
    "guides/schema-export",
    "guides/tools",
    "integrations/aiohttp",
    "integrations/pydantic",
    "operations/testing",
    "types/defer-and-stream",
    "types/enums",
    "types/exceptions",
    "types/generics",
    "types/input-types",
    "types/interfaces",
    "types/lazy",
    "types/maybe",
    "types/object-types",
    "types/operation-directives",
    "types/private",
    "types/resolvers",
    "types/scalars",
    "types/schema",
    "types/schema-configurations",
    "types/schema-directives",
    "types/union",
    "types/unset",
]
OF_OTHER_PAGES = {  # what Strawberry exports with its extensions, by the page that has it
    "FieldExtension": "guides/field-extensions",
    "IgnoreContext": "extensions/query-depth-limiter",
    "LifecycleStep": "extensions/datadog",
    "SchemaExtension": "guides/custom-extensions",
    "DatadogTracing": "extensions/datadog",
    "OpenTelemetry": "extensions/opentelemetry",
    "PydanticError": "extensions/pydantic_error_extension",
}


def file_of(page: str) -> Path:
    folder, _, name = page.rpartition("/")
    return HERE / folder / f"test_{name.replace('-', '_')}.py"


def test_each_page_with_tests_has_a_file() -> None:
    files = {each for each in HERE.rglob("test_*.py") if each != Path(__file__)}

    assert {file_of(page) for page in WITH_TESTS} == files


def test_no_page_is_in_both_lists() -> None:
    assert set(WITH_TESTS) & WITHOUT_TESTS.keys() == set()


def test_the_lists_were_checked_with_this_version() -> None:
    """If this fails, read what is new in Strawberry's documentation, and update the lists."""
    assert version("strawberry-graphql") == CHECKED_AT


EXPORTED = [
    *strawberry.extensions.__all__,
    *strawberry.extensions.tracing.__all__,
    *strawberry.field_extensions.__all__,
]


@pytest.mark.parametrize("name", EXPORTED)
def test_each_extension_has_a_page(name: str) -> None:
    plain = name.removesuffix("Sync").removesuffix("Extension") or name
    page = OF_OTHER_PAGES.get(name) or OF_OTHER_PAGES.get(plain)

    found = page or "extensions/" + re.sub(r"(?<!^)(?=[A-Z])", "-", plain).lower()

    assert found in {*WITH_TESTS, *WITHOUT_TESTS}
