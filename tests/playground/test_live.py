"""Subscriptions on the page: one that the user runs, and panels that follow the feed."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import WebSocket, expect
from yarl import URL

from mainsheet.server.http.playground import Playground as Page
from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo, served
from tests.playground.test_page import NOA, PRIYA
from tests.playground.test_panels import new_tab

ADMIN = "admin@harbor.example"
IDS = """{
  jobByKey(jobKey: "low-stock-alert") { id }
  events(first: 1, sortDirection: DESC) { nodes { cursor } }
}"""
HIDDEN = """{ jobByKey(jobKey: "refunds-ingest") { id } }"""
RENAME = """mutation ($input: UpdateJobInput!) { updateJob(input: $input) { userErrors { message } } }"""
DRAFT = """mutation ($input: CreateDraftInput!) { createDraft(input: $input) { userErrors { message } } }"""
LONG = """location.hash = new URLSearchParams({
  query: 'subscription Long { events { cursor } }' + ('\\n#' + 'x'.repeat(1000)).repeat(1100),
})"""
LISTS = """query Listed { me { jobs(sortBy: JOB_KEY, limit: 50) { nodes { jobKey name } } } }"""


async def ids(demo: Demo) -> tuple[str, str]:
    data = (await demo.ask(ADMIN, IDS))["data"]
    return data["jobByKey"]["id"], data["events"]["nodes"][0]["cursor"]


async def rename(demo: Demo, job_id: str, name: str) -> None:
    answer = await demo.ask(ADMIN, RENAME, {"input": {"jobId": job_id, "name": name}})
    assert answer["data"]["updateJob"]["userErrors"] == []


async def test_a_subscription_is_run_stopped_and_resumed(playground: Playground, demo: Demo) -> None:
    job_id, after = await ids(demo)
    events = f'events(after: "{after}", filter: {{ jobIds: ["{job_id}"] }})'
    await new_tab(playground, f"subscription Watch {{ {events} {{ cursor action job {{ name }} }} }}")
    bar = playground.page.locator(".stream")
    await rename(demo, job_id, "First")
    await expect(bar).to_contain_text("Live · 1 result")
    await expect(playground.response).to_contain_text('"name": "First"')
    await expect(playground.page.locator(".graphiql-spinner")).to_have_count(0)

    await playground.choose("MyJobs")
    await expect(bar).to_have_count(0)
    await rename(demo, job_id, "Second")
    await playground.choose("Watch")
    await expect(bar).to_contain_text("Live · 2 results")
    await expect(playground.response).to_contain_text(re.compile('"Second".*"First"', re.DOTALL))

    await bar.get_by_role("button", name="Stop").click()
    await expect(bar).to_contain_text("Stopped · 2 results")
    await rename(demo, job_id, "Third")
    await bar.get_by_role("button", name="Resume after the last result").click()
    await expect(bar).to_contain_text("Live · 3 results")
    await expect(playground.response).to_contain_text('"Third"')

    await new_tab(playground, "subscription Wrong { nonsense { cursor } }")
    await expect(playground.page.locator(".notice")).to_contain_text("Cannot query field 'nonsense'")


async def test_a_subscription_without_a_token_asks_for_one(no_demo: Demo) -> None:
    async with opened(no_demo.url) as playground:
        await new_tab(playground, "subscription Watch { events { cursor } }")

        await expect(playground.page.locator(".stream")).to_contain_text("Ended")
        await expect(playground.page.locator(".notice")).to_contain_text("The server needs a token. Set yours.")
        playground.forgive("401")


async def test_a_subscription_that_is_too_long_is_sent_once(playground: Playground) -> None:
    sockets = 0

    def count(_socket: WebSocket) -> None:
        nonlocal sockets
        sockets += 1

    playground.page.on("websocket", count)
    await playground.page.evaluate(LONG)
    await expect(playground.page.get_by_role("tab", name="Long")).to_be_visible()
    await playground.run("subscription Long")

    await expect(playground.page.locator(".notice")).to_contain_text("The server refuses the subscription.")
    await expect(playground.page.locator(".stream")).to_contain_text("Ended")
    assert sockets == 1


async def test_an_interrupted_subscription_goes_on_after_its_last_result(sqlite_demo: Path, tmp_path: Path) -> None:
    folders = [tmp_path / each for each in ("before", "after")]
    for folder in folders:
        folder.mkdir()
    async with AsyncExitStack() as server:
        before = await server.enter_async_context(served(sqlite_demo, folders[0], Page.built(), is_demo=True))
        async with opened(before.url) as playground:
            job_id, after = await ids(before)
            await new_tab(playground, f'subscription Watch {{ events(after: "{after}") {{ cursor job {{ name }} }} }}')
            await rename(before, job_id, "First")
            await expect(playground.response).to_contain_text('"First"')
            await server.aclose()
            bar = playground.page.locator(".stream")
            await expect(bar).to_contain_text("Interrupted, connecting again … · 1 result")

            database, port = folders[0] / "demo.sqlite3", URL(before.url).port or 0
            async with served(database, folders[1], Page.built(), is_demo=True, port=port) as again:
                await rename(again, job_id, "Second")
                await expect(bar).to_contain_text("Live · 2 results")
                await expect(playground.response).to_contain_text('"Second"')
                await bar.get_by_role("button", name="Stop").click()
            playground.complaints.clear()  # refused connections


async def test_the_activity_follows_the_feed(playground: Playground, demo: Demo) -> None:
    job_id, _ = await ids(demo)
    panel = await playground.panel("Activity")
    await expect(panel.get_by_role("status")).to_contain_text("Live")
    first = panel.get_by_role("list", name="Events, the newest first").get_by_role("listitem").first
    await rename(demo, job_id, "First")
    await expect(first).to_contain_text(re.compile("Job updated.*low-stock-alert.*Ada Lindqvist"))

    await panel.get_by_role("button", name="Pause").click()
    await demo.ask(ADMIN, DRAFT, {"input": {"jobId": job_id, "message": "Try it"}})
    await expect(panel.get_by_role("status")).to_have_text("Paused.")
    await panel.get_by_role("button", name="Resume").click()
    await expect(first).to_contain_text(re.compile("Draft created.*low-stock-alert.*Try it"))

    count = await panel.get_by_role("listitem").count()
    await panel.get_by_role("button", name="Older events").click()
    await expect(panel.get_by_role("listitem")).not_to_have_count(count)
    await panel.get_by_role("button", name="Open as a subscription").click()
    await expect(playground.page.get_by_role("tab", name="Events")).to_be_visible()
    await first.get_by_role("button").click()
    history = playground.page.get_by_role("region", name="Version History")
    await expect(history.locator(".timeline .draft")).to_be_visible()

    await rename(demo, (await demo.ask(ADMIN, HIDDEN))["data"]["jobByKey"]["id"], "Hidden from Priya")
    await rename(demo, job_id, "Seen by both")
    await playground.panel("Activity")
    await expect(first).to_contain_text("Job updated low-stock-alert")
    await expect(panel).to_contain_text("refunds-ingest")
    await playground.become(PRIYA)
    await expect(panel).not_to_contain_text("refunds-ingest")
    await expect(first).to_contain_text("Job updated low-stock-alert")
    await playground.become(NOA)
    await expect(panel).not_to_contain_text("low-stock-alert")


async def test_the_history_and_the_lists_move_by_themselves(playground: Playground, demo: Demo) -> None:
    job_id, _ = await ids(demo)
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("low-stock-alert")
    await expect(panel.locator(".timeline .current")).to_be_visible()
    await rename(demo, job_id, "First")
    await expect(panel.get_by_label("Job", exact=True)).to_contain_text("low-stock-alert — First")
    await demo.ask(ADMIN, DRAFT, {"input": {"jobId": job_id}})
    await expect(panel.locator(".timeline .draft")).to_be_visible()

    table = await playground.panel("Table")
    await new_tab(playground, LISTS)
    await expect(table.get_by_role("row", name="low-stock-alert First")).to_be_visible()
    await rename(demo, job_id, "Second")
    await expect(table.get_by_role("row", name="low-stock-alert Second")).to_be_visible()
    await table.get_by_label("Load again when data changes").uncheck()
    await rename(demo, job_id, "Third")
    await table.get_by_label("Load again when data changes").check()
    await expect(table.get_by_role("row", name="low-stock-alert Third")).to_be_visible()
