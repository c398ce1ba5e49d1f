"""Statements by name, from a file whose every `-- name: …` begins one."""

import re
from pathlib import Path


def statements(file: str) -> dict[str, str]:
    text = (Path(__file__).parent / file).read_text("utf-8")
    return {
        name: sql.strip()
        for name, sql in re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", text, re.MULTILINE | re.DOTALL)
    }
