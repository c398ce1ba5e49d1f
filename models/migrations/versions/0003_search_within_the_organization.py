"""Index searches by organization, and fold their texts anew.

The index had three characters in a row, of all organizations together: to search one was to read the matches of all.
Now each entry begins with the organization's id. The text is folded by Unicode's compatibility forms as well, so that
a letter is found however it was composed.

On SQLite the triggers belong to the table of jobs: a migration that rebuilds it has to create them again. Processes of
the version before, which may still run beside a PostgreSQL that was upgraded, call `search_grams` with one argument;
it stays for them, without an index.
"""

import re
from unicodedata import normalize

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BATCH = 1000
INVISIBLE = [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
TRANSLATED = dict.fromkeys(INVISIBLE) | {ord("\N{LATIN SMALL LETTER DOTLESS I}"): "i"}
DOTTED_I = re.compile("i\N{COMBINING DOT ABOVE}+")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        drop_from_sqlite()
        fold_all(connection, "length(CAST(search_text AS BLOB)) > length(search_text)")
        search_on_sqlite()
    else:
        op.execute("DROP INDEX ix_job_search")
        fold_all(connection, "octet_length(search_text) > length(search_text)")
        search_on_postgresql()


def fold_all(connection: Connection, is_not_ascii: str) -> None:
    """Fold what may change, a batch at a time: ASCII stays as it is."""
    columns = "id, job_key, name, description, search_text"
    rows = sa.text(f"SELECT {columns} FROM job WHERE id > :last AND {is_not_ascii} ORDER BY id LIMIT {BATCH}")  # noqa: S608
    last = ""
    while found := connection.execute(rows, {"last": last}).all():
        texts = {row.id: fold("\n".join((row.job_key, row.name, row.description or ""))) for row in found}
        if changed := [{"id": row.id, "text": texts[row.id]} for row in found if texts[row.id] != row.search_text]:
            connection.execute(sa.text("UPDATE job SET search_text = :text WHERE id = :id"), changed)
        last = found[-1].id


def fold(text: str) -> str:
    lower = normalize("NFKD", text.translate(TRANSLATED)).translate(TRANSLATED).casefold()
    return normalize("NFKC", DOTTED_I.sub("i", normalize("NFKC", lower)))


def search_on_postgresql() -> None:
    """Index what begins at each character; by its cost, only the index is ever to call the function."""
    op.execute("""
        CREATE FUNCTION search_grams(organization_id text, search_text text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000
        RETURN array_to_tsvector(ARRAY(
            SELECT $1 || '_' || substr($2, start, 3) FROM generate_series(1, length($2)) AS start
        ))
    """)
    op.execute("""
        CREATE INDEX ix_job_search ON job USING gin (search_grams(organization_id, search_text))
        WITH (fastupdate = off)
    """)


def drop_from_sqlite() -> None:
    """Keep the numbers of the rows: VACUUM may give those of `job` new ones."""
    for name in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER job_search_{name}")
    op.execute("DROP TABLE job_search_terms")
    op.execute("DROP TABLE job_search")


def search_on_sqlite() -> None:
    """Index what begins at each character, as a token for FTS5: the organization's id and the characters' bytes."""
    op.execute("""
        CREATE VIRTUAL TABLE job_search USING fts5(
            grams, content = '', columnsize = 0, detail = none, tokenize = "ascii tokenchars '_'"
        )
    """)
    op.execute(adding("job") + " JOIN job ON job.id = job_id")
    added, gone = f"{adding('new')} WHERE job_id = new.id;", f"{removing('old')} WHERE job_id = old.id;"
    trigger("insert", "AFTER INSERT ON job", "INSERT INTO job_search_row (job_id) VALUES (new.id);" + added)  # noqa: S608
    changed = "AFTER UPDATE OF search_text ON job WHEN old.search_text <> new.search_text"
    trigger("update", changed, gone + added)
    trigger("delete", "AFTER DELETE ON job", gone + "DELETE FROM job_search_row WHERE job_id = old.id;")  # noqa: S608


def trigger(name: str, when: str, body: str) -> None:
    op.execute(f"CREATE TRIGGER job_search_{name} {when} BEGIN {body} END")


def adding(row: str) -> str:
    return f"INSERT INTO job_search (rowid, grams) SELECT number, {grams(row)} FROM job_search_row"  # noqa: S608


def removing(row: str) -> str:
    """FTS5 keeps no text: it wants it again to know what to remove."""
    target = "job_search (job_search, rowid, grams)"
    return f"INSERT INTO {target} SELECT 'delete', number, {grams(row)} FROM job_search_row"  # noqa: S608


def grams(row: str) -> str:
    starts = f"SELECT 1 UNION ALL SELECT start + 1 FROM starts WHERE start < length({row}.search_text)"  # noqa: S608
    token = f"{row}.organization_id || '_' || hex(substr({row}.search_text, start, 3))"
    return f"(WITH RECURSIVE starts(start) AS ({starts}) SELECT group_concat({token}, ' ') FROM starts)"  # noqa: S608
