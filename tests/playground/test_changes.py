"""The version history changes jobs: each change is shown as the operation that it sends."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Dialog, Locator, Page, Route, expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo

ADMIN, VIEWER = "admin@harbor.example", "viewer@harbor.example"
JOB = """query ($key: String!) {
  jobByKey(jobKey: $key) {
    id
    currentVersion { number message maxRetries }
    draft { number message maxRetries timeoutSeconds }
  }
}"""
CREATE = """mutation ($input: CreateDraftInput!) { createDraft(input: $input) { draft { number } } }"""
DISCARD = """mutation ($input: DiscardDraftInput!) { discardDraft(input: $input) { discardedNumber } }"""
UPDATE = """mutation ($input: UpdateDraftInput!) { updateDraft(input: $input) { userErrors { message } } }"""

UPDATE_JOB = """mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { message } } }"""


async def state(demo: Demo, key: str) -> Any:
    return (await demo.ask(ADMIN, JOB, {"key": key}))["data"]["jobByKey"]


async def history(playground: Playground, key: str) -> Locator:
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option(key)
    await expect(panel.locator(".timeline .current")).to_be_visible()
    return panel


async def begin(panel: Locator, number: int, action: str) -> Locator:
    """Open the dialog for a change of the version."""
    version = panel.get_by_role("button", name=re.compile(rf"^v{number}\b"))
    if await version.get_attribute("aria-expanded") == "false":
        await version.click()
    await panel.get_by_role("button", name=action, exact=True).click()
    dialog = panel.page.get_by_role("dialog")
    await expect(dialog.get_by_label("Message")).to_be_visible()
    return dialog


async def replace(dialog: Locator, before: str, after: str) -> None:
    text = dialog.get_by_label("Configuration")
    value = await text.input_value()
    assert before in value
    await text.fill(value.replace(before, after))


async def press(dialog: Locator, button: str) -> None:
    await dialog.get_by_role("button", name=button, exact=True).click()
    await expect(dialog).to_have_count(0)


async def test_a_job_is_changed_from_its_version_history(playground: Playground, demo: Demo) -> None:
    panel = await history(playground, "low-stock-alert")
    dialog = await begin(panel, 2, "Create a draft from it")
    await dialog.get_by_label("Configuration").fill("[]")
    await expect(dialog.get_by_role("alert")).to_have_text("The configuration isn't a JSON object.")
    await expect(dialog.get_by_role("button", name="Create draft")).to_be_disabled()
    await expect(dialog.get_by_role("button", name="Open in a tab")).to_be_disabled()
    playground.page.once("dialog", Dialog.accept)
    await press(dialog, "Cancel")

    dialog = await begin(panel, 1, "Create a draft from it")
    await press(dialog, "Create draft")
    await expect(panel.get_by_text("The draft from v1 was created.")).to_be_visible()
    before = (await state(demo, "low-stock-alert"))["draft"]["maxRetries"]

    dialog = await begin(panel, 3, "Edit")
    await replace(dialog, f'"maxRetries": {before}', '"maxRetries": 9')
    operation = dialog.locator(".operation")
    await expect(operation).to_contain_text(
        re.compile(r"mutation UpdateDraft.*\"changes\": \{\s*\"maxRetries\": 9\s*\}", re.DOTALL)
    )
    await press(dialog, "Save")
    assert (await state(demo, "low-stock-alert"))["draft"]["maxRetries"] == 9

    dialog = await begin(panel, 3, "Publish")
    await dialog.get_by_label("Message").fill("Nine retries")
    await dialog.get_by_role("button", name="Dry run").click()
    await expect(dialog.get_by_role("status")).to_contain_text("The server would accept this")
    assert (await state(demo, "low-stock-alert"))["currentVersion"]["number"] == 2
    await press(dialog, "Publish")
    await expect(panel.locator(".timeline .current")).to_contain_text(re.compile("v3.*Nine retries"))

    dialog = await begin(panel, 1, "Activate")
    await press(dialog, "Activate")
    assert (await state(demo, "low-stock-alert"))["currentVersion"]["number"] == 1


async def test_a_draft_in_the_way_can_be_discarded(playground: Playground, demo: Demo) -> None:
    panel = await history(playground, "orders-ingest")
    dialog = await begin(panel, 4, "Create a draft from it")
    await expect(dialog).to_contain_text("There is a draft in the way: v6")
    await expect(dialog.get_by_role("button", name="Create draft")).to_be_disabled()
    await dialog.get_by_role("button", name="Cancel").click()

    dialog = await begin(panel, 3, "Activate")
    await expect(dialog).to_contain_text(
        re.compile(r"jobs? depends? on it and will wait for runs of this version: .*-")
    )
    await expect(dialog.get_by_role("button", name="Activate")).to_be_disabled()
    await dialog.get_by_label("Discard the draft v6").check()
    await press(dialog, "Activate")

    job = await state(demo, "orders-ingest")
    assert (job["currentVersion"]["number"], job["draft"]) == (3, None)


async def test_a_conflict_shows_both_states_and_keeps_both_changes(playground: Playground, demo: Demo) -> None:
    job = await state(demo, "orders-ingest")
    panel = await history(playground, "orders-ingest")
    dialog = await begin(panel, 6, "Edit")
    await replace(dialog, f'"maxRetries": {job["draft"]["maxRetries"]}', '"maxRetries": 9')
    changes = {"timeoutSeconds": 4321}
    await demo.ask(ADMIN, UPDATE, {"input": {"jobId": job["id"], "changes": changes}})

    await dialog.get_by_role("button", name="Save").click()
    conflict = dialog.get_by_role("region", name="Conflict")
    await expect(conflict.get_by_role("row", name="Draft")).to_contain_text(
        re.compile(r"v6, revision \d+.*v6, revision \d+, by Ada")
    )
    await expect(conflict.get_by_role("heading")).to_be_in_viewport()
    theirs, mine = [conflict.locator("figure", has_text=title) for title in ("What others changed", "Your changes")]
    await expect(theirs.locator(".added")).to_contain_text('"timeoutSeconds": 4321')
    await expect(mine.locator(".added")).to_contain_text('"maxRetries": 9')
    await expect(mine.locator(".removed")).to_have_count(1)
    await conflict.get_by_role("button", name="Go on").click()
    await press(dialog, "Save")

    draft = (await state(demo, "orders-ingest"))["draft"]
    assert (draft["maxRetries"], draft["timeoutSeconds"]) == (9, 4321)

    dialog = await begin(panel, 6, "Discard")
    await press(dialog, "Discard draft")
    assert (await state(demo, "orders-ingest"))["draft"] is None


async def test_what_was_entered_is_kept(playground: Playground, demo: Demo) -> None:
    """The dialog outlives reloads of the panel that fail, and asks before it discards anything."""
    job = await state(demo, "orders-ingest")
    page, panel = playground.page, await history(playground, "orders-ingest")
    dialog = await begin(panel, 6, "Edit")
    await replace(dialog, f'"maxRetries": {job["draft"]["maxRetries"]}', '"maxRetries": 9')
    text = dialog.get_by_label("Configuration")
    entered = await text.input_value()
    shown = page.locator(".panel")  # without roles, which a modal dialog hides
    failures: tuple[tuple[int, dict[str, object], str, int], ...] = (
        (503, {"errors": [{"message": "Come back later."}]}, "Come back later.", 1),
        (200, {"data": {"events": {"nodes": []}, "jobByKey": None}}, "There is no job with the key orders-ingest", 0),
    )
    for status, body, said, count in failures:
        async with answered(page, "query VersionHistory", status, body):
            await demo.ask(ADMIN, UPDATE_JOB, {"input": {"jobId": job["id"], "name": said}})
            await expect(shown).to_contain_text(said)
            await expect(shown.locator(".timeline .draft")).to_have_count(count)
            await expect(text).to_have_value(entered)

    questions: list[str] = []

    async def stay(question: Dialog) -> None:
        questions.append(question.message)
        await question.dismiss()

    page.on("dialog", stay)
    await page.keyboard.press("Escape")
    await page.mouse.click(5, 5)
    await expect(text).to_have_value(entered)
    await replace(dialog, '"maxRetries": 9', f'"maxRetries": {job["draft"]["maxRetries"]}')
    await dialog.get_by_label("Message").fill("Nine retries")
    await dialog.get_by_role("button", name="Close dialog").click()
    await expect(dialog.get_by_label("Message")).to_have_value("Nine retries")
    assert questions == ["Discard what you have entered?"] * 3
    page.remove_listener("dialog", stay)
    page.once("dialog", Dialog.accept)
    await press(dialog, "Cancel")

    await demo.ask(ADMIN, UPDATE_JOB, {"input": {"jobId": job["id"], "name": "Back"}})
    dialog = await begin(panel, 6, "Edit")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    playground.forgive("503")


@asynccontextmanager
async def answered(page: Page, operation: str, status: int, body: object) -> AsyncIterator[None]:
    """Answer the operation with this instead of the server."""

    async def answer(route: Route) -> None:
        if operation in (route.request.post_data or ""):
            return await route.fulfill(status=status, json=body)
        return await route.fallback()

    await page.route("**/graphql", answer)
    yield
    await page.unroute("**/graphql", answer)


async def test_a_change_of_a_draft_never_goes_on_with_another(playground: Playground, demo: Demo) -> None:
    """A colleague discards the draft and creates another one while the dialog is open, or just before it opens."""
    job_id = (await state(demo, "orders-ingest"))["id"]
    panel = await history(playground, "orders-ingest")
    for number, action, button in ((6, "Edit", "Save"), (7, "Publish", "Publish"), (8, "Discard", "Discard draft")):
        dialog = await begin(panel, number, action)
        await draft_again(demo, job_id)
        await dialog.get_by_role("button", name=button, exact=True).click()
        await expect(dialog.get_by_role("region", name="Conflict")).to_be_visible()
        gone = f"The draft v{number} was discarded. There is a new draft, v{number + 1}, by Ada Lindqvist."
        await expect(dialog.get_by_text(gone)).to_be_visible()
        await expect(dialog.get_by_role("button", name="Go on")).to_have_count(0)
        await expect(dialog.get_by_role("button", name=button, exact=True)).to_be_disabled()
        await press(dialog, "Cancel")

    dialog = await begin(panel, 3, "Activate")
    await dialog.get_by_label("Discard the draft v9").check()
    await draft_again(demo, job_id)
    await dialog.get_by_role("button", name="Activate").click()
    await dialog.get_by_role("button", name="Go on").click()
    await expect(dialog.get_by_label("Discard the draft v10")).not_to_be_checked()
    await press(dialog, "Cancel")

    async def meanwhile(route: Route) -> None:
        if "query Situation" in (route.request.post_data or ""):
            await draft_again(demo, job_id)
        await route.fallback()

    await playground.page.route("**/graphql", meanwhile)
    dialog = await begin(panel, 10, "Publish")
    await expect(dialog.get_by_role("alert")).to_have_text(
        "The draft v10 was discarded. There is a new draft, v11, by Ada Lindqvist."
    )
    await expect(dialog.get_by_role("button", name="Publish")).to_be_disabled()


async def draft_again(demo: Demo, job_id: str) -> None:
    await demo.ask(ADMIN, DISCARD, {"input": {"jobId": job_id}})
    await demo.ask(ADMIN, CREATE, {"input": {"jobId": job_id}})


async def test_an_opened_version_stays_open_when_a_colleague_creates_a_draft(
    playground: Playground, demo: Demo
) -> None:
    job_id = (await state(demo, "orders-ingest"))["id"]
    panel = await history(playground, "orders-ingest")
    version = panel.get_by_role("button", name=re.compile(r"^v3\b"))
    await version.click()

    await draft_again(demo, job_id)

    draft = panel.get_by_role("button", name=re.compile(r"^v7\b"))
    await expect(draft).to_have_attribute("aria-expanded", "false")
    await expect(version).to_have_attribute("aria-expanded", "true")


async def test_refusals_and_missing_permissions_are_said(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[ADMIN])
        panel = await history(playground, "orders-ingest")
        dialog = await begin(panel, 6, "Edit")
        await expect(dialog).to_contain_text("This isn't the demo")
        retries = (await state(no_demo, "orders-ingest"))["draft"]["maxRetries"]
        await replace(dialog, f'"maxRetries": {retries}', '"maxRetries": 99')
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_role("alert")).to_be_visible()
        await dialog.get_by_role("button", name="Open in a tab").click()
        await expect(playground.page.get_by_role("tab", name="UpdateDraft")).to_be_visible()
        await expect(playground.variables).to_contain_text('"maxRetries": 99')
        playground.forgive("401")

    async with opened(no_demo.url) as playground:
        await playground.use_token(no_demo.tokens[VIEWER])
        panel = await playground.panel("Version History")
        await panel.get_by_label("Job", exact=True).select_option("low-stock-alert")
        await expect(panel).to_contain_text("To change it you need the permission EDIT.")
        await expect(panel.locator(".actions")).to_have_count(0)
        playground.forgive("401")
