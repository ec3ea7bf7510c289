"""The dashboard as somebody at night uses it: in a real browser, against a running service."""

import sqlite3
from contextlib import closing

from playwright.sync_api import Browser, Page, expect

from tests.browser.service import SENDERS, Service
from tests.browser.visit import SCREENS, Visit
from waqcore import Draft


def put(service: Service, n: int, **draft: str) -> None:
    """Queue messages of one sender."""
    service.queue.enqueue_many(
        [Draft(to=f"08123456{i:04}", body=f"Halo {i}", **draft) for i in range(n)]  # type: ignore[arg-type]
    )


def never_reloaded(page: Page) -> None:
    """Mark the page, so that a reload would be seen."""
    page.evaluate("window.marked = true")


def settle(service: Service) -> None:
    """Begin with an empty queue that runs."""
    service.queue.clear()
    service.queue.resume()


def test_a_queue_is_seen_to_move_without_a_reload(service: Service, page: Page) -> None:
    settle(service)
    never_reloaded(page)

    put(service, 12)

    expect(page.locator("#part-next tbody tr").first).to_be_visible()
    expect(page.locator("#queued")).to_have_text("0", timeout=20_000)
    expect(page.locator("#part-lanes article").first).to_contain_text("accepted")
    assert page.evaluate("window.marked") is True


def test_pause_and_resume(service: Service, page: Page) -> None:
    settle(service)
    page.click("text=Pause…")
    page.select_option("#sender", SENDERS[0])
    page.fill("#reason", "gateway moves")
    page.click("#pause")
    expect(page.locator("#toast")).to_contain_text(f"Paused: {SENDERS[0]}")
    card = page.locator(f'article[aria-label="Sender {SENDERS[0]}"]')
    expect(card).to_contain_text("gateway moves")
    put(service, 3, sender=SENDERS[0])
    expect(page.locator("#queued")).to_have_text("3")
    never_reloaded(page)

    page.click(f"#resume-{SENDERS[0]}")

    expect(page.locator("#toast")).to_contain_text("Resumed")
    expect(page.locator("#queued")).to_have_text("0")
    assert page.evaluate("window.marked") is True


def test_clear_with_undo(service: Service, page: Page) -> None:
    settle(service)
    service.queue.pause("test")
    put(service, 7)
    expect(page.locator("#queued")).to_have_text("7")
    page.click("text=Clear…")
    page.fill("#typed", "7")
    page.click("#sure")
    expect(page.locator("#toast")).to_contain_text("Cleared: 7 messages")
    expect(page.locator("#queued")).to_have_text("0")

    page.click("#undo")

    expect(page.locator("#toast")).to_contain_text("Restored: 7 messages")
    expect(page.locator("#queued")).to_have_text("7")
    settle(service)


def test_a_failed_message_is_retried(service: Service, page: Page) -> None:
    settle(service)
    service.queue.pause("test")
    message = service.queue.enqueue("081234567890", "Halo")
    with closing(sqlite3.connect(service.folder / "q.db", timeout=10)) as db, db:
        db.execute(
            "UPDATE waq_message SET state = 'failed', reason = 'it broke', failures = 3,"
            " ended_at = enqueued_at WHERE id = ?",
            (message.id,),
        )
    service.queue.resume()
    page.goto(service.admin + "/failed")
    expect(page.locator("article")).to_contain_text("it broke")

    page.click(f"#retry-{message.id}")

    expect(page.locator("#toast")).to_contain_text("Queued again: 1 message")
    expect(page.locator("#main")).to_contain_text("No failed message")
    page.goto(f"{service.admin}/messages/{message.id}")
    expect(page.locator("#life")).to_contain_text("Attempt 1: accepted")


def test_a_test_message_is_sent_and_followed(service: Service, page: Page) -> None:
    settle(service)
    service.queue.pause("test")
    page.click("nav >> text=Send")
    page.fill("#to", "0812-3456-7890")
    page.click("#send")
    expect(page.locator("#toast")).to_contain_text("Queued")
    expect(page.locator("#life")).to_contain_text("Not known when it goes")

    service.queue.resume()

    expect(page.locator("#life")).to_contain_text("Attempt 1: accepted")
    expect(page.locator("#life")).to_contain_text("+6281234567890")


def test_five_people_register_on_the_test_page(service: Service, page: Page) -> None:
    page.click("nav >> text=Test")
    page.check("input[value=registration]")
    page.select_option("#pace", "0.2")
    page.click("#start")

    expect(page.locator("#verdict")).to_have_text("Passed", timeout=20_000)

    expect(page.locator("ul.checks li")).to_have_count(4)
    assert page.locator("svg.timeline circle.sent").count() == 10
    expect(page.locator("#stop button")).to_have_count(0)
    SCREENS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENS / "run-wide.png", full_page=True)


def test_a_page_that_hears_nothing_any_more_comes_back(service: Service, chromium: Browser) -> None:
    settle(service)
    visit = Visit(chromium, service)
    page = visit.page
    page.route("**/events*", lambda route: route.abort())
    page.clock.install()
    page.goto(service.admin)
    put(service, 1)

    with page.expect_navigation():
        page.clock.run_for(32_000)

    expect(page.locator("#queued")).to_be_visible()
    visit.complaints.clear()  # Of the requests that were aborted.
    visit.close()


def test_without_a_script_buttons_work_as_well(
    service: Service, chromium_without_scripts: Page
) -> None:
    settle(service)
    page = chromium_without_scripts
    page.click("#process-all")

    expect(page.locator("#toast")).to_contain_text("Woken")
