"""The page in a real browser. Requests to other hosts, policy violations and console errors fail each test."""

import asyncio
import re

from playwright.async_api import Route, expect

from tests.playground.browser import Playground, opened
from tests.playground.conftest import Demo

A_JOB_ID = re.compile(r'"jobId":\s"JB\w+"')  # Monaco's spaces don't break
TABS = ("MyJobs", "OneJob", "LifeOfAVersion", "TeamAccess", "ErrorsAsData")
LOADED = """Object.fromEntries(performance.getEntriesByType('resource').map(
  ({ name, encodedBodySize }) => [name, encodedBodySize]))"""
STORED = "index => JSON.parse(localStorage['/graphql graphiql:tabState'] ?? '{}').activeTabIndex === index"
STORES = ("session", "local")
ADA, NOA, PRIYA, JONAS = "Ada Lindqvist", "Noa Berger", "Priya Raman", "Jonas Weber"


async def test_an_example_runs_as_it_stands(playground: Playground) -> None:
    await playground.run("query MyJobs")

    await expect(playground.response).to_contain_text('"displayName": "Ada Lindqvist"')
    await expect(playground.response).to_contain_text('"totalCount"')


async def test_a_reload_keeps_the_tab_and_its_variables(playground: Playground) -> None:
    for index, (tab, variable) in enumerate((("MyJobs", '"limit"'), ("OneJob", '"fireTimes"'))):
        await playground.choose(tab)
        await expect(playground.variables).to_contain_text(variable)
        await playground.page.wait_for_function(STORED, arg=index)  # GraphiQL stores it with a delay
        await playground.page.reload()
        await expect(playground.page.get_by_role("tab", selected=True)).to_have_text(tab)
        await expect(playground.variables).to_contain_text(variable)
        await expect(playground.page.get_by_role("tab")).to_have_count(len(TABS))


async def test_the_chosen_member_sends_the_next_requests(playground: Playground) -> None:
    await playground.choose("OneJob")
    await playground.become(NOA)

    await playground.run("query OneJob")

    await expect(playground.response).to_contain_text('"name": "Ticket sales"')


async def test_typing_an_initial_finds_its_member(playground: Playground) -> None:
    """The menu forgets after a second what was typed, so a longer text would depend on the machine's load."""
    await playground.page.get_by_role("button", name="You are").focus()
    await playground.page.keyboard.press("Enter")
    await expect(playground.page.get_by_role("menuitem").first).to_be_focused()

    await playground.page.keyboard.press("J")

    await expect(playground.page.get_by_role("menuitem", name=JONAS)).to_be_focused()


async def test_the_schema_is_asked_for_in_a_cacheable_way(playground: Playground) -> None:
    async with playground.page.expect_response("**/graphql?*IntrospectionQuery*") as schema:
        await playground.page.reload()

    headers = (await schema.value).headers
    assert headers["content-encoding"] == "gzip"
    assert headers["etag"]


async def test_little_is_loaded_before_the_page_can_be_used(playground: Playground) -> None:
    """A line of 10 Mbit/s takes a second for these bytes. Other parts are loaded when they are used."""
    await playground.run("query MyJobs")
    await expect(playground.response).to_contain_text('"data"')
    sizes: dict[str, int] = await playground.page.evaluate(LOADED)

    assert 300_000 < sum(sizes.values()) < 1_500_000
    for part in (
        "babel",
        "estree",
        "standalone",
        "socket",
        "Versions",
        "Table",
        "Cost",
        "Activity",
        "Collection",
        "ExplorerPanel",
    ):
        assert not [url for url in sizes if f"/{part}-" in url], part


async def test_a_tab_opens_at_its_first_line(playground: Playground) -> None:
    await playground.choose("LifeOfAVersion")
    await playground.page.locator(".graphiql-query-editor textarea").focus()
    await playground.page.keyboard.press("Control+End")
    await expect(playground.page.get_by_text("# The life of a version")).to_have_count(0)

    await playground.choose("TeamAccess")

    await expect(playground.page.get_by_text("# Team access")).to_be_visible()


async def test_a_small_screen_stacks_the_editors(playground: Playground) -> None:
    await playground.page.set_viewport_size({"width": 390, "height": 844})
    await playground.page.get_by_role("button", name="Hide Examples").click()
    await playground.page.get_by_role("button", name="Execute query").click()
    await expect(playground.response).to_contain_text('"data"')

    operation, variables, answer = [
        await playground.page.locator(f".graphiql-{each}").first.bounding_box()
        for each in ("query-editor", "editor-tool", "response")
    ]
    assert operation
    assert variables
    assert answer
    assert variables["height"] > 80
    assert operation["y"] + operation["height"] <= answer["y"]
    assert min(operation["width"], answer["width"]) > 250


async def test_a_user_error_is_shown_as_data(playground: Playground) -> None:
    await playground.choose("LifeOfAVersion")
    await playground.become(PRIYA)
    await expect(playground.variables).not_to_contain_text("<id of")

    await playground.run("mutation CreateDraft")

    await expect(playground.response).to_contain_text('"code": "FORBIDDEN"')


async def test_names_in_variables_become_ids_of_visible_objects(playground: Playground) -> None:
    await playground.choose("LifeOfAVersion")
    await expect(playground.variables).to_contain_text(A_JOB_ID)
    seen_by_ada = await playground.variables.inner_text()

    await playground.become(NOA)

    await expect(playground.variables).to_contain_text(A_JOB_ID)
    await expect(playground.variables).not_to_have_text(seen_by_ada, use_inner_text=True)


async def test_a_field_is_completed_from_the_schema(playground: Playground) -> None:
    await playground.page.get_by_role("button", name="New tab").click()
    await playground.page.locator(".graphiql-query-editor textarea").focus()
    await playground.page.keyboard.press("Control+End")
    await playground.page.keyboard.type("{ me { acto")

    suggestion = playground.page.locator(".suggest-widget .monaco-list-row").first
    await expect(suggestion).to_contain_text("actor")


async def test_the_editors_report_no_errors_in_examples(playground: Playground) -> None:
    """The names in the variables may become ids and numbers after the user began to edit the operation."""
    editor = playground.page.locator(".graphiql-query-editor")
    is_edited = asyncio.Event()

    async def answer_late(route: Route) -> None:
        if "query LookUp" in (route.request.post_data or ""):
            await is_edited.wait()
        await route.fallback()

    await playground.page.route("**/graphql", answer_late)
    for tab in TABS:
        is_edited.clear()
        await playground.choose(tab)
        await editor.locator("textarea").focus()
        await playground.page.keyboard.press("Control+End")
        await playground.page.keyboard.insert_text("query Mistaken { nonsense }")
        await expect(editor.locator(".squiggly-error").first).to_be_visible()  # the schema is loaded now
        is_edited.set()
        await expect(playground.variables).not_to_contain_text("<")

        await playground.page.keyboard.press("Shift+Home")
        await playground.page.keyboard.press("Delete")

        await expect(playground.page.locator(".squiggly-error")).to_have_count(0)


async def test_the_documentation_explains_a_type(playground: Playground) -> None:
    await playground.page.get_by_role("button", name="Show Documentation Explorer").click()
    explorer = playground.page.locator(".graphiql-doc-explorer")

    await explorer.get_by_role("link", name="Mutation", exact=True).click()

    await expect(explorer).to_contain_text("it makes all of its changes or none.")


async def test_the_field_explorer_offers_the_fields_of_the_schema(playground: Playground) -> None:
    await playground.page.get_by_role("button", name="Show GraphiQL Explorer").click()

    await expect(playground.page.locator(".graphiql-explorer-root")).to_contain_text("jobByKey")


async def test_the_version_history_shows_all_versions(playground: Playground) -> None:
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")
    timeline = panel.get_by_role("list", name="Versions, the newest first")

    await expect(timeline.get_by_role("button").first).to_contain_text(re.compile(r"v6.*Draft"))
    await expect(timeline.locator(".current")).to_contain_text(
        re.compile("v5.*Month-end peaks ran out of time.*Grace Mbeki")
    )
    await expect(timeline.locator(".activation")).to_contain_text("Back to v2: 2.0.0 loses orders")


async def test_any_two_versions_can_be_compared(playground: Playground) -> None:
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("orders-ingest")
    await panel.get_by_role("button", name=re.compile(r"^v5\b")).click()
    await panel.get_by_label("From", exact=True).select_option("v1")

    cluster = panel.locator(".differences figure").filter(has=panel.page.get_by_title("clusterId", exact=True))
    await expect(cluster.locator(".removed")).to_contain_text("- legacy-eu")
    await expect(cluster.locator(".added")).to_contain_text("+ prod-eu")


async def test_the_version_history_updates_after_operations(playground: Playground) -> None:
    await playground.become(JONAS)
    await playground.choose("LifeOfAVersion")
    await expect(playground.variables).not_to_contain_text("<id of")
    panel = await playground.panel("Version History")
    await panel.get_by_label("Job", exact=True).select_option("low-stock-alert")
    await expect(panel.locator(".timeline .current")).to_contain_text("v2")
    await expect(panel.locator(".timeline .draft")).to_have_count(0)

    await playground.run("mutation CreateDraft")

    await expect(panel.locator(".timeline .draft")).to_contain_text("Jonas Weber")


async def test_a_pasted_token_is_kept_for_the_session_only(no_demo: Demo) -> None:
    token = no_demo.tokens["viewer@harbor.example"]
    async with opened(no_demo.url) as playground:
        await playground.paste_token(token)
        await expect(playground.page.get_by_role("button", name="Priya Raman")).to_be_visible()
        await playground.run("query MyJobs")

        await expect(playground.response).to_contain_text('"displayName": "Priya Raman"')
        session, lasting = [await playground.page.evaluate(f"JSON.stringify({{...{each}Storage}})") for each in STORES]
        assert token in session
        assert token not in lasting
        # The schema needs a token, so the browser reports its refusal.
        playground.complaints = [each for each in playground.complaints if "401" not in each]


async def test_the_page_follows_the_color_scheme(demo: Demo) -> None:
    red = "element => getComputedStyle(element).backgroundColor.match(/\\d+/)[0]"
    async with opened(demo.url, color_scheme="dark") as playground:
        container = playground.page.locator(".graphiql-container")
        assert int(await container.evaluate(red)) < 100

        await playground.change_scheme("light")

        assert int(await container.evaluate(red)) > 200


async def test_reduced_motion_is_respected(demo: Demo) -> None:
    moving = """() => [...document.querySelectorAll('*')].filter(element =>
      /[1-9]/.test(getComputedStyle(element).transitionDuration)).map(element => element.className)"""
    async with opened(demo.url, reduced_motion="reduce") as playground:
        assert await playground.page.evaluate(moving) == []


async def test_the_cost_panel_shows_statements_by_level(playground: Playground) -> None:
    panel = await playground.panel("Cost")

    await playground.run("query MyJobs")

    await expect(panel).to_contain_text("Level 2")
    statement = panel.locator(".statements li", has_text="me.jobs.nodes.teams")
    await expect(statement).to_contain_text("10 keys")
    await statement.locator("summary").click()
    await expect(statement.locator("pre")).to_contain_text("JOIN job_team")
    await expect(playground.response).not_to_contain_text("extensions")
