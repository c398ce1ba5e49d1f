"""A profile of the operation is written. The extension has no `resolve`, so the operation is compiled."""

from pathlib import Path

import strawberry
from strawberry.extensions.pyinstrument import PyInstrument

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello, world!"


async def test_a_profile_is_written(schema: Make, tmp_path: Path) -> None:
    report = tmp_path / "pyinstrument.html"

    await schema(Query, extensions=[lambda: PyInstrument(report_path=report)]).gives(
        "{ hello }", {"hello": "Hello, world!"}, Outcome.COMPILED
    )

    assert "pyinstrument" in report.read_text()
