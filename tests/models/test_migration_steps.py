"""Which migrations an upgrade or a downgrade runs, and which of them share a transaction."""

import pytest

from mainsheet.models.migration_script import NoScript, script
from mainsheet.models.migration_steps import CannotDowngrade, downgrade_steps, pending, upgrade_steps
from mainsheet.models.revisions import Revisions, compatible_from, head, migrations

OTHER = "`db downgrade` of the version that migrated it"
NEWEST = Revisions(head(), head(), head())


def test_an_older_database_is_upgraded_to_the_newest_revision() -> None:
    *_, last = upgrade_steps(Revisions("0018", None, head()))

    assert last.to == head()
    assert upgrade_steps(NEWEST) == []


def test_migrations_that_no_older_version_can_serve_share_a_transaction() -> None:
    own = [each for each in migrations() if compatible_from(each) == each]
    assert own[:21] == [f"{number:04}" for number in range(1, 22)]

    assert upgrade_steps(Revisions(None, None, head()))[0].to >= "0021"


@pytest.mark.parametrize(
    ("revisions", "to", "refusal"),
    [
        (NEWEST, "0001", "Revision 0029 can't be undone: restore a backup"),
        (NEWEST, "77", "There is no revision 77"),
        (Revisions("0018", None, head()), "0019", "The database is at revision 0018, older than 0019"),
        (Revisions(None, None, head()), "0019", "The database has no tables yet"),
        (
            Revisions("9999", "0019", head()),
            head(),
            f"The database is at revision 9999, newer than this version's {head()}: run {OTHER}",
        ),
    ],
)
def test_a_downgrade_that_is_impossible_is_refused(revisions: Revisions, to: str, refusal: str) -> None:
    with pytest.raises(CannotDowngrade) as refused:
        downgrade_steps(revisions, to)

    assert str(refused.value) == refusal


def test_a_downgrade_to_the_current_revision_does_nothing() -> None:
    assert downgrade_steps(NEWEST, head()) == []


def test_migrations_of_the_first_releases_have_no_script() -> None:
    with pytest.raises(NoScript, match="There is no script for migration 0019: run `mainsheet db upgrade`"):
        script(pending(Revisions("0018", None, head())))
