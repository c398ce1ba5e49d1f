"""Statements by name, from a file whose every `-- name: …` begins one."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def statements(path: str) -> dict[str, str]:
    """Return the statements of a file in this folder, in its order."""
    text = (FOLDER / path).read_text("utf-8")
    return {
        name: sql.strip()
        for name, sql in re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.MULTILINE | re.DOTALL)
    }
