import click
import orjson

from mainsheet.server.commands.as_code import ExitingWith1Group, run_remote, token, url
from mainsheet.server.member_data import member_data


@click.group(cls=ExitingWith1Group)
def members() -> None:
    """Members of any server."""


@members.command()
@url
@token
@click.argument("email", metavar="EMAIL")
def export(*, url: str, token: str, email: str) -> None:
    """Print everything that the server has about a member as JSON, for example before the mutation `eraseMember`.

    These are the member, their roles, tokens without secrets, the jobs that they created, what they did, and what was
    done to them, as far as the token's owner may see it. An administrator sees all.
    """
    data = run_remote(url, token, lambda remote: member_data(remote, email))
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
