"""The help of each command, and how few modules it imports."""

import subprocess
import sys

import click
import pytest

from mainsheet.server.cli import COMMANDS, main
from tests.server.commands import invoke


def every_command(words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    command = command_at(words)
    below = command.list_commands(click.Context(command)) if isinstance(command, click.Group) else []
    return [words, *(found for name in below for found in every_command((*words, name)))]


def command_at(words: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found
        command = found
    return command


@pytest.mark.parametrize("words", every_command(), ids=lambda words: " ".join(words) or "mainsheet")
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    command = command_at(words)

    result = invoke(*words, "--help")

    assert result.returncode == 0
    assert command.help
    for parameter in command.params:
        for option in parameter.opts:
            assert option in result.stdout or parameter.human_readable_name in result.stdout
    if any(each.name == "database_url" for each in command.params):
        assert "MAINSHEET_DATABASE_URL" in "".join(result.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_listed_help_is_the_start_of_the_commands_help(name: str) -> None:
    assert (command_at((name,)).help or "").partition("\n\n")[0].replace("\n", " ") == COMMANDS[name]


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        ("--help", {"pydantic", "sqlalchemy"}),
        ("token --help", {"aiohttp", "strawberry"}),
        ("serve --help", {"graphql", "strawberry"}),  # which a supervisor doesn't need
    ],
)
def test_commands_import_only_what_they_need(arguments: str, unneeded: set[str]) -> None:
    code = f"""
import sys
from mainsheet.server.cli import main
main({arguments.split()}, standalone_mode=False)
print(*sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "mainsheet.server.cli" in (imported := set(result.stdout.split()))
    assert not imported & unneeded
