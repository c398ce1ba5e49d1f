"""Examples change nothing by accident: outside the demo, users choose each object and confirm changes."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo
from tests.playground.test_page import ADA, NOA, TABS
from tests.playground.test_panels import new_tab

CONTRIBUTOR = "contributor@harbor.example"
DRAFT = 'query { jobByKey(jobKey: "low-stock-alert") { id draft { number } } }'


@pytest.fixture
async def real(no_demo: Demo) -> AsyncIterator[Playground]:
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[CONTRIBUTOR])
        yield playground
        playground.forgive("401")  # the schema was requested before there was a token


async def choose_job(real: Playground, key: str) -> None:
    dialog = real.page.get_by_role("dialog")
    await dialog.get_by_label("Search jobs").fill(key)
    await dialog.get_by_label("Job", exact=True).select_option(label=f"{key} — Low stock alert")
    await dialog.get_by_role("button", name="Run it").click()


async def test_examples_name_no_object_outside_the_demo(real: Playground) -> None:
    for tab in TABS:
        await real.choose(tab)
        await real.settle()

        await expect(real.variables).not_to_contain_text("JB")
        await expect(real.variables).not_to_contain_text("daily-sales-etl")
        await expect(real.variables).not_to_contain_text("low-stock-alert")


async def test_the_user_chooses_the_job_of_an_example(real: Playground) -> None:
    await real.choose("LifeOfAVersion")
    await real.run("query LifeOfAVersion")
    await choose_job(real, "low-stock-alert")

    await expect(real.response).to_contain_text('"jobKey": "low-stock-alert"')
    await expect(real.variables).not_to_contain_text("<id of a job>")


async def test_the_user_chooses_the_team_of_an_example(real: Playground) -> None:
    await real.choose("TeamAccess")
    await real.run_from_menu("Unshare")
    await real.page.get_by_role("dialog").get_by_label("Team", exact=True).select_option("platform")
    await choose_job(real, "low-stock-alert")
    await real.page.get_by_role("button", name="Change real data").click()

    await expect(real.response).to_contain_text('"code": "FORBIDDEN"')


async def test_only_used_variables_are_asked_for(real: Playground) -> None:
    await real.choose("LifeOfAVersion")
    await real.run("query LifeOfAVersion")
    dialog = real.page.get_by_role("dialog")
    await expect(dialog.get_by_label("Job", exact=True)).to_be_visible()

    await expect(dialog.get_by_label("Version")).to_have_count(0)


async def test_only_the_first_change_is_confirmed(real: Playground, no_demo: Demo) -> None:
    await real.choose("LifeOfAVersion")
    await real.run("mutation CreateDraft")
    await choose_job(real, "low-stock-alert")

    await real.page.get_by_role("button", name="Cancel").click()
    await expect(real.page.get_by_text("Nothing was sent")).to_be_visible()
    assert (await no_demo.ask(CONTRIBUTOR, DRAFT))["data"]["jobByKey"]["draft"] is None

    await real.run("mutation CreateDraft")
    await real.page.get_by_role("button", name="Change real data").click()
    await expect(real.response).to_contain_text('"basedOn"')

    await real.run("mutation CreateDraft")
    await expect(real.response).to_contain_text('"code": "DRAFT_EXISTS"')


async def test_a_dry_run_needs_no_confirmation(real: Playground) -> None:
    await real.choose("ErrorsAsData")
    await real.run("mutation ErrorsAsData")
    await choose_job(real, "low-stock-alert")

    await expect(real.response).to_contain_text('"path"')


@pytest.mark.parametrize("text", ["# dryRun: true", 'message: "dryRun: true"'])
async def test_a_dry_run_in_a_comment_or_text_is_none(real: Playground, text: str) -> None:
    fields = f'jobId: "JB1", name: "Changed"\n{text}\n'
    await new_tab(real, f"mutation ErrorsAsData {{ updateJob(input: {{ {fields} }}) {{ userErrors {{ code }} }} }}")

    await expect(real.page.get_by_role("dialog")).to_contain_text("Run ErrorsAsData on real data?")


async def test_the_demo_needs_no_confirmation(demo: Demo) -> None:
    async with opened(demo.url) as playground:
        await playground.choose("LifeOfAVersion")
        await expect(playground.variables).to_contain_text('"backTo": 1')
        await playground.run("mutation CreateDraft")

        await expect(playground.response).to_contain_text('"basedOn"')


async def test_edited_variables_are_kept(demo: Demo) -> None:
    async with opened(demo.url) as playground:
        await playground.choose("LifeOfAVersion")
        await expect(playground.variables).to_contain_text('"backTo": 1')
        await playground.page.locator(".graphiql-editor-tool textarea").first.focus()
        await playground.page.keyboard.press("Control+Home")
        await playground.page.keyboard.insert_text(" ")
        seen_by_ada = await playground.variables.inner_text()

        await playground.become(NOA)
        await playground.choose("TeamAccess")
        await expect(playground.variables).not_to_contain_text("<id of")
        await playground.choose("LifeOfAVersion")
        await playground.settle()

        await expect(playground.variables).to_have_text(seen_by_ada, use_inner_text=True)
        await playground.become(ADA)


async def test_variables_of_an_edited_operation_are_kept(demo: Demo) -> None:
    async with opened(demo.url) as playground:
        await playground.choose("LifeOfAVersion")
        await expect(playground.variables).to_contain_text('"backTo": 1')
        seen_by_ada = await playground.variables.inner_text()
        await playground.page.locator(".graphiql-query-editor textarea").focus()
        await playground.page.keyboard.insert_text("# mine\n")

        await playground.become(NOA)
        await playground.settle()

        await expect(playground.variables).to_have_text(seen_by_ada, use_inner_text=True)
