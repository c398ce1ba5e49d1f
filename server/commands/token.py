import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from mainsheet.models.access_token import AccessToken, is_valid
from mainsheet.models.actor import Actor
from mainsheet.models.limits import NAME
from mainsheet.models.roles import AccessScope
from mainsheet.server.auth import tokens
from mainsheet.server.commands.options import json_option, with_settings
from mainsheet.server.commands.running import migrated, run
from mainsheet.server.commands.table import show
from mainsheet.server.settings import Settings

LONGEST = timedelta(days=36_500)
DEFAULT, NEVER = "90d", "never"
COLUMNS = {"ID": "", "ACTOR": "", "NAME": "", "CREATED": "", "EXPIRES": NEVER, "LAST USED": NEVER, "STATE": ""}


class Lifetime(click.ParamType[timedelta | None]):
    """A duration: 30d, 12h, 45m or several, longest unit first, as in 1d12h. None for a token that never expires."""

    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta | None:
        if isinstance(value, timedelta):
            return value
        if value == NEVER:
            return None
        match = re.fullmatch(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?", value, re.ASCII)
        days, hours, minutes = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        duration = timedelta(days=days, hours=hours, minutes=minutes)
        if not timedelta() < duration <= LONGEST:
            self.fail(
                f"{value!r} is no duration like 30d, 12h or 45m, of at most {LONGEST.days}d, nor `{NEVER}`", param, ctx
            )
        return duration


@click.group()
def token() -> None:
    """Bearer tokens of members and service accounts."""


@token.command()
@click.option("--member", metavar="EMAIL", help="The member whom the token authenticates.")
@click.option("--service-account", "account", metavar="NAME", help="The service account, in place of a member.")
@click.option(
    "--expires",
    type=Lifetime(),
    default=DEFAULT,
    show_default=True,
    help=f"The validity: 30d, 12h, 45m, or `{NEVER}` for a token that doesn't expire.",
)
@click.option("--name", help="A name that says what the token is for.")
@click.option("--organization", metavar="ID", help="The organization, if several have the member or account.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(list(AccessScope), case_sensitive=False),
    multiple=True,
    help="What the token may be used for; may be repeated. Default: READ and WRITE; all for administrators.",
)
@with_settings("database_url")
def create(
    settings: Settings,
    *,
    member: str | None,
    account: str | None,
    expires: timedelta | None,
    name: str | None,
    organization: str | None,
    scopes: tuple[AccessScope, ...],
) -> None:
    """Print a new token and nothing else. It is shown only once: the database keeps only its hash."""
    name = None if name is None else NAME.form.normal(name)
    for problem in NAME.check(name, ("name",)) if name is not None else ():
        raise click.BadParameter(problem.reason, param_hint="--name")
    if name == tokens.DEMO_NAME:
        raise click.BadParameter(f"{name!r} is the name of the demo's own tokens", param_hint="--name")

    if (member is None) == (account is None):
        raise click.UsageError("Name either --member or --service-account.")
    create_one = tokens.create if account is None else tokens.create_for_account

    async def created() -> None:
        async with migrated(settings) as database:
            whose = member or account or ""
            click.echo(await create_one(database, whose, expires, name, organization=organization, scopes=scopes))

    run(created())


@token.command(name="list")
@click.option("--member", metavar="EMAIL", help="List only this member's tokens.")
@json_option
@with_settings("database_url")
def list_(settings: Settings, *, member: str | None, as_json: bool) -> None:
    """Print all tokens, oldest first, without their secrets, which aren't stored."""
    run(_list(settings, member, as_json=as_json))


async def _list(settings: Settings, member: str | None, *, as_json: bool) -> None:
    async with migrated(settings) as database:
        rows = await tokens.listing(database, member)
    show(COLUMNS, [_cells(*each) for each in rows], as_json=as_json)


@token.command()
@click.argument("token_id", metavar="ID")
@with_settings("database_url")
def revoke(settings: Settings, token_id: str) -> None:
    """Revoke the token with this ID, as shown by `mainsheet token list`. This can't be undone."""
    run(_revoke(settings, token_id))


async def _revoke(settings: Settings, token_id: str) -> None:
    async with migrated(settings) as database:
        was_good = await tokens.revoke(database, token_id)
    click.echo(f"Token {token_id} {'is' if was_good else 'was already'} revoked.")


def _cells(token: AccessToken, actor: Actor, now: datetime) -> Sequence[Any]:
    who = actor.email or actor.name
    times = token.created_at, token.expires_at, token.last_used_at
    return token.id, who, token.name, *times, _state(token, now)


def _state(token: AccessToken, now: datetime) -> str:
    if is_valid(token, now):
        return "active"
    return "revoked" if token.revoked_at is not None else "expired"
