from datetime import timedelta

import click

from mainsheet.server.auth import first_organization
from mainsheet.server.commands.options import with_settings
from mainsheet.server.commands.running import migrated, run
from mainsheet.server.commands.token import DEFAULT, NEVER, Lifetime
from mainsheet.server.settings import Settings


@click.command()
@click.option("--organization", required=True, metavar="NAME", help="The name of the organization.")
@click.option("--admin", required=True, metavar="EMAIL", help="The email address of its first administrator.")
@click.option(
    "--expires",
    type=Lifetime(),
    default=DEFAULT,
    show_default=True,
    help=f"The validity of the token: 30d, 12h, 45m, or `{NEVER}`.",
)
@with_settings("database_url")
def init(settings: Settings, organization: str, admin: str, expires: timedelta | None) -> None:
    """Make an organization with an administrator, and print the administrator's token and nothing else.

    The token is shown only once: the database keeps only its hash. The administrator makes everything else by the API.
    """

    async def created() -> None:
        async with migrated(settings) as database:
            row, secret = await first_organization.create(database, organization, admin, expires)
        click.echo(f"Made the organization {row.name}, {row.id}, with the administrator {admin}.", err=True)
        click.echo(secret)

    run(created())
