"""The correction of times finds the ready runs in their index, however many other runs there are."""

from mainsheet.models.database import Database
from mainsheet.resolvers.commands.run_times import correct_times
from testbed.statements import statements_of
from tests.scale.conftest import Big


async def test_only_ready_runs_are_read(big: Big, big_database: Database) -> None:
    statements = statements_of(big_database)

    await correct_times(big_database)

    of_runs = [each for each in statements if "FROM job_run" in each]
    assert of_runs
    for each in of_runs:
        plan = await big.plans.of(big_database, each)
        assert "ix_job_run_ready" in plan, f"{each}\n{plan}"
