"""`docs/settings.md`, made from the settings class: `make settings` writes it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mainsheet.server.commands.options import shown, variable
from mainsheet.server.environment import FILE, secrets
from mainsheet.server.settings import Settings

PAGE = Path(__file__).parents[2] / "docs/settings.md"
HEAD = """# Settings

Each setting is an environment variable. This page is made from the settings class by `make settings`; `mainsheet
settings --describe` prints the same with your values. *Configuration* in `docs/operations.md` has the rules.

| variable | default | values | meaning |
|---|---|---|---|
"""


def page() -> str:
    schema = Settings.model_json_schema()
    return HEAD + "".join(_row(name, each, schema.get("$defs", {})) for name, each in schema["properties"].items())


def _row(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    default = shown(Settings.model_fields[name].default)
    file = f" Or give a file: `{variable(name)}{FILE}`." if name in secrets() else ""
    values = ", ".join(dict.fromkeys(_values(schema, definitions)))
    cells = f"`{variable(name)}`", f"`{default}`" if default else "", values, f"{schema['description']}{file}"
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |\n"


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """Say which values JSON Schema allows."""
    if "$ref" in schema:
        yield from _values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for each in schema.get("anyOf", ()):
        yield from _values(each, definitions)
    if "items" in schema:
        yield from _values(schema["items"], definitions)
    if "enum" in schema:
        yield from (f"`{each}`" for each in schema["enum"])
    elif schema.get("type") == "boolean":
        yield "`true`, `false`"
    elif schema.get("type") in {"integer", "number"}:
        yield _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    if least is None:
        return "a number"
    beginning = "more than " if "exclusiveMinimum" in schema else ""
    if "maximum" in schema:
        return f"{beginning}{least:,} to {schema['maximum']:,}"
    return f"{beginning}{least:,}" if beginning else f"{least:,} or more"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
