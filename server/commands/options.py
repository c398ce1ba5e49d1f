"""Command options made from settings. Their help names the environment variable and the default."""

import functools
import os
from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mainsheet.server.contradictions import contradictions
from mainsheet.server.environment import BadEnvironment, from_files
from mainsheet.server.observe.redaction import without_secrets
from mainsheet.server.settings import PREFIX, Settings

Command = Callable[..., None]
json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def with_settings(*names: str) -> Callable[[Command], Command]:
    """Pass the command its settings, read from its options and the environment."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            given = {name: arguments.pop(name) for name in names}
            command(load(given), **arguments)

        decorated: Command = run
        for name in reversed(names):  # click shows the last one applied first
            decorated = _option(name)(decorated)
        return decorated

    return decorate


def load(given: dict[str, Any]) -> Settings:
    options = {name: value for name, value in given.items() if value is not None}
    try:
        settings = Settings(**from_files(os.environ) | options)
    except BadEnvironment as error:
        raise click.ClickException(without_secrets(str(error))) from None
    except ValidationError as error:
        problems = "; ".join(f"{_variable(each['loc'])}: {each['msg']}" for each in error.errors())
        raise click.ClickException(problems) from None
    for problem in contradictions(settings):
        raise click.ClickException(without_secrets(problem))
    return settings


def given_options() -> set[str]:
    """Return the names of the settings that were given as options of the running command."""
    context = click.get_current_context(silent=True)
    parameters = context.params if context else {}
    return {name for name, value in parameters.items() if value is not None and name in Settings.model_fields}


def variable(name: str) -> str:
    return PREFIX + name.upper()


def shown(value: object) -> str:
    """Return a setting's value as it is given."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _variable(location: tuple[int | str, ...]) -> str:
    return variable(str(location[0])) if location else "settings"


def _option(name: str) -> Callable[[Command], Command]:
    field = Settings.model_fields[name]
    flag = "--" + name.replace("_", "-")
    if field.annotation is bool:
        return click.option(flag, is_flag=True, default=None, help=_help(name, field))
    kind = int if field.annotation is int else str
    return click.option(flag, type=kind, help=_help(name, field))


def _help(name: str, field: FieldInfo) -> str:
    default = "" if field.default is False else f"; default: {shown(field.default)}"
    return f"{field.description}  [env: {variable(name)}{default}]"
