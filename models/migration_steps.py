"""The steps of an upgrade or a downgrade. Each is one transaction on PostgreSQL; SQLite runs all in one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection

from mainsheet.models.errors import MainsheetError
from mainsheet.models.revisions import Revisions, compatible_from, config, head, migrations


class NewerDatabase(MainsheetError):
    """A newer version migrated the database, and this version can't serve it."""

    def __init__(self, revisions: Revisions) -> None:
        super().__init__(f"{revisions.obstacle}: update Mainsheet")


class CannotDowngrade(MainsheetError):
    """The database can't be brought to this revision."""


@dataclass(frozen=True)
class Step:
    """A migration, or several, that lead to a revision."""

    alembic: Callable[[Config, str], None]  # its upgrade or downgrade
    to: str

    def run(self, connection: Connection) -> None:
        self.alembic(config(connection), self.to)


Plan = Callable[[Revisions], Sequence[Step]]


def upgrade_steps(revisions: Revisions) -> Sequence[Step]:
    """Return the steps that are pending. Raises `NewerDatabase`.

    Each migration is a step of its own, so that it holds its locks for a short time. But successive migrations that no
    older version can serve are one: if one fails, the older version still works.
    """
    if revisions.is_newer and not revisions.can_be_served:
        raise NewerDatabase(revisions)
    return [Step(command.upgrade, list(group)[-1].revision) for _, group in groupby(pending(revisions), _transaction)]


def _transaction(migration: Script) -> str:
    revision = migration.revision
    return "shared" if compatible_from(revision) == revision else revision


def downgrade_steps(revisions: Revisions, to: str) -> Sequence[Step]:
    """Return the steps that undo the migrations after a revision. Raises `CannotDowngrade`."""
    return [Step(command.downgrade, str(each.down_revision)) for each in undone(revisions, to)]


def is_pending(revision: str) -> bool:
    """Return whether a database at this revision has to be migrated. Raises `NewerDatabase`."""
    revisions = Revisions(revision, None, head())
    if revisions.is_newer:
        raise NewerDatabase(revisions)
    return revision != head()


def pending(revisions: Revisions) -> Sequence[Script]:
    """Return the migrations that the database lacks, the oldest first."""
    return [each for each in migrations().values() if each.revision > (revisions.current or "")]


def undone(revisions: Revisions, to: str) -> Sequence[Script]:
    """Return the migrations that a downgrade to a revision undoes, the newest first. Raises `CannotDowngrade`."""
    if revisions.current is None:
        raise CannotDowngrade(revisions.position)
    if revisions.is_newer:
        raise CannotDowngrade(f"{revisions.position}: run `db downgrade` of the version that migrated it")
    if to not in migrations():
        raise CannotDowngrade(f"There is no revision {to}")
    if to > revisions.current:
        raise CannotDowngrade(f"{revisions.position}, older than {to}")
    found = [each for each in reversed(migrations().values()) if to < each.revision <= revisions.current]
    lasting = next((each.revision for each in found if not hasattr(each.module, "downgrade")), None)
    if lasting is not None:
        raise CannotDowngrade(f"Revision {lasting} can't be undone: restore a backup")
    return found
