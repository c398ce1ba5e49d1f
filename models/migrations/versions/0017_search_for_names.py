"""Lists of teams, clusters, members, service accounts and saved queries can be searched.

Each table gets what the table of jobs has: a column with the folded text, and an index of its trigrams. On SQLite, the
triggers belong to the table: a migration that rebuilds it has to create them again.
"""

import re
from unicodedata import normalize

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXTS = {
    "team": ("name", "description"),
    "actor": ("name", "email"),
    "cluster": ("name", "region"),
    "saved_query": ("name",),
}
BATCH = 1000
INVISIBLE = [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
TRANSLATED = dict.fromkeys(INVISIBLE) | {ord("\N{LATIN SMALL LETTER DOTLESS I}"): "i"}
DOTTED_I = re.compile("i\N{COMBINING DOT ABOVE}+")


def upgrade() -> None:
    connection = op.get_bind()
    for table, columns in TEXTS.items():
        op.add_column(table, sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
        fold_all(connection, table, columns)
        search_on_sqlite(table) if connection.dialect.name == "sqlite" else search_on_postgresql(table)
    op.create_index("ix_cluster_organization_status", "cluster", ["organization_id", "status", "name", "id"])


def fold_all(connection: Connection, table: str, columns: tuple[str, ...]) -> None:
    chosen = f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last ORDER BY id LIMIT {BATCH}"  # noqa: S608
    changed = sa.text(f"UPDATE {table} SET search_text = :text WHERE id = :id")  # noqa: S608
    last = ""
    while found := connection.execute(sa.text(chosen), {"last": last}).all():
        connection.execute(changed, [{"id": id_, "text": fold("\n".join(v or "" for v in own))} for id_, *own in found])
        last = found[-1].id


def fold(text: str) -> str:
    lower = normalize("NFKD", text.translate(TRANSLATED)).translate(TRANSLATED).casefold()
    return normalize("NFKC", DOTTED_I.sub("i", normalize("NFKC", lower)))


def search_on_postgresql(table: str) -> None:
    op.execute(
        f"CREATE INDEX ix_{table}_search ON {table} USING gin (search_grams(organization_id, search_text))"
        " WITH (fastupdate = off)"
    )


def search_on_sqlite(table: str) -> None:
    op.execute(f"CREATE TABLE {table}_search_row (number INTEGER PRIMARY KEY, {table}_id VARCHAR(20) NOT NULL UNIQUE)")
    op.execute(f"""
        CREATE VIRTUAL TABLE {table}_search USING fts5(
            grams, content = '', columnsize = 0, detail = none, tokenize = "ascii tokenchars '_'"
        )
    """)
    op.execute(f"INSERT INTO {table}_search_row ({table}_id) SELECT id FROM {table}")  # noqa: S608 our own text
    op.execute(f"{adding(table, table)} JOIN {table} ON {table}.id = {table}_id")
    its = f"WHERE {table}_id ="
    added, gone = f"{adding(table, 'new')} {its} new.id;", f"{removing(table)} {its} old.id;"
    new_row = f"INSERT INTO {table}_search_row ({table}_id) VALUES (new.id);"  # noqa: S608 our own text
    trigger(table, "insert", f"AFTER INSERT ON {table}", new_row + added)
    changed = f"AFTER UPDATE OF search_text ON {table} WHEN old.search_text <> new.search_text"
    trigger(table, "update", changed, gone + added)
    old_row = f"DELETE FROM {table}_search_row {its} old.id;"  # noqa: S608 our own text
    trigger(table, "delete", f"AFTER DELETE ON {table}", gone + old_row)


def trigger(table: str, name: str, when: str, body: str) -> None:
    op.execute(f"CREATE TRIGGER {table}_search_{name} {when} BEGIN {body} END")


def adding(table: str, row: str) -> str:
    return f"INSERT INTO {table}_search (rowid, grams) SELECT number, {grams(row)} FROM {table}_search_row"  # noqa: S608


def removing(table: str) -> str:
    """FTS5 keeps no text: it needs it again to know what to remove."""
    target = f"{table}_search ({table}_search, rowid, grams)"
    return f"INSERT INTO {target} SELECT 'delete', number, {grams('old')} FROM {table}_search_row"  # noqa: S608


def grams(row: str) -> str:
    starts = f"SELECT 1 UNION ALL SELECT start + 1 FROM starts WHERE start < length({row}.search_text)"  # noqa: S608
    token = f"{row}.organization_id || '_' || hex(substr({row}.search_text, start, 3))"
    return f"(WITH RECURSIVE starts(start) AS ({starts}) SELECT group_concat({token}, ' ') FROM starts)"  # noqa: S608
