"""The SQL of migrations by squawk, which finds what blocks or breaks a server. `.squawk.toml` has its rules."""

import subprocess
import sys
from pathlib import Path

import pytest

from mainsheet.models.migration_script import sql_of
from mainsheet.models.revisions import migrations
from tests.releases.next_version import ROOT, make_next_version

SQUAWK = Path(sys.executable).with_name("squawk")
# 0.1.0 doesn't serve while these run. They change columns, constraints and indexes in place, or read rows.
BEFORE_0_2_0 = {
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0009"),
    *("0010", "0011", "0012", "0013", "0015", "0017", "0022", "0025", "0027", "0028", "0029"),
}
PRINT_SQL = """
from mainsheet.models.migration_script import script
from mainsheet.models.revisions import migrations
print(script([each for revision, each in migrations().items() if revision >= "9001"]))
"""


def findings(sql: str) -> str:
    """Return what squawk finds, one line each."""
    command: list[str | Path] = [SQUAWK, "--config", ROOT / ".squawk.toml", "--reporter", "gcc"]
    result = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1}, result.stderr
    assert bool(result.returncode) == bool(result.stdout.strip()), result.stdout
    return result.stdout


def test_migrations_block_no_server() -> None:
    sql = "".join(sql_of(each) for revision, each in migrations().items() if revision not in BEFORE_0_2_0)

    assert findings(sql) == ""


def test_migrations_of_the_next_version_block_no_server(tmp_path: Path) -> None:
    following = make_next_version(tmp_path)
    command = [sys.executable, "-P", "-c", PRINT_SQL]
    sql = subprocess.run(command, env=following.environment, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "CREATE INDEX CONCURRENTLY ix_job_colour" in sql.stdout
    assert findings(sql.stdout) == ""


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX ix_job_colour ON job (colour);", "require-concurrent-index-creation"),
        ("ALTER TABLE job DROP COLUMN colour;", "ban-drop-column"),
        ("ALTER TABLE job ALTER COLUMN colour SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE job ADD CONSTRAINT c CHECK (colour <> '');", "constraint-missing-not-valid"),
        ("ALTER TABLE job RENAME COLUMN colour TO color;", "renaming-column"),
    ],
)
def test_what_blocks_or_breaks_a_server_is_found(statement: str, rule: str) -> None:
    assert rule in findings(
        f"BEGIN;\nSET LOCAL statement_timeout = 0;\nSET LOCAL lock_timeout = '2s';\n{statement}\nCOMMIT;\n"
    )
