"""Every module is imported as `mainsheet.…` only, and `resolvers/sql` imports no modules of nouns."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_IMPORTED = ("__main__", "env")  # Alembic runs `env`, like the migrations
FILES = [
    path
    for folder in (ROOT / "src/mainsheet").iterdir()
    if folder.is_symlink()
    for path in folder.resolve().rglob("*.py")
    if path.stem not in NOT_IMPORTED and path.parent.name != "versions"
]
IMPORT_ALL = f"""
import sys
from importlib import import_module
from pkgutil import walk_packages

for package in ("mainsheet", "testbed", "tests"):
    for module in walk_packages(import_module(package).__path__, package + "."):
        if not module.name.endswith({NOT_IMPORTED}):
            import_module(module.name)
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None))
"""
TABLES = {
    f"mainsheet.models.{path.stem}"
    for path in (ROOT / "models").glob("*.py")
    if path.stem != "base" and "Base)" in path.read_text("utf-8")
}


def test_no_module_is_imported_under_two_names() -> None:
    """With the repository on `sys.path`, as in tests, `import models` would load the tables a second time."""
    imported = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=False)

    assert imported.returncode == 0, imported.stderr
    times = Counter(Path(line).resolve() for line in imported.stdout.splitlines())
    assert len(FILES) > 100
    assert {str(path) for path in FILES if times[path] != 1} == set()


def test_resolvers_sql_knows_no_noun() -> None:
    """It works with any table, so it imports no module of a table, and no other resolver but the caller."""
    imported = {name: path for path in (ROOT / "resolvers/sql").rglob("*.py") for name in _imported(path)}
    resolvers = [name for name in imported if name.startswith("mainsheet.resolvers.")]

    assert "mainsheet.models.job" in TABLES
    assert {name: path for name, path in imported.items() if name.rpartition(".")[0] in TABLES or name in TABLES} == {}
    assert [
        name for name in resolvers if not name.startswith(("mainsheet.resolvers.sql.", "mainsheet.resolvers.caller."))
    ] == []


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
