"""The test page: scenarios run to their end against a sandbox, and the live queue is guarded."""

import re

import pytest

from tests.web.admin.site import Browser, Site, toast
from waqcore.core.outcome import Accepted
from waqcore.store.controls import Filter
from waqcore.web.admin.trials.plans import plan
from waqcore.web.admin.trials.run import Phase, Trial


@pytest.mark.parametrize("name", ["registration", "priority", "failure", "monitoring"])
def test_every_scenario_passes_against_the_sandbox(dashboard: Site, name: str) -> None:
    chosen = plan(name)
    assert chosen is not None
    trial = Trial(chosen, dashboard.settings, pace_s=0.1, live=None, by="test")

    trial.run(lambda: False)

    assert [check for check in trial.checks if not check.good] == []
    assert (trial.phase, trial.trouble) == (Phase.PASSED, "")
    assert dashboard.queue.messages() == []


def test_a_run_that_does_not_end_as_it_should_fails(dashboard: Site) -> None:
    chosen = plan("failure")
    assert chosen is not None
    # The gateway accepts what the plan says it should refuse.
    object.__setattr__(chosen, "script", lambda call, n: Accepted(str(n)))
    trial = Trial(chosen, dashboard.settings, pace_s=0.05, live=None, by="test")

    trial.run(lambda: False)

    assert trial.phase is Phase.FAILED
    assert [check.good for check in trial.checks] == [False, False, True, True]


def test_a_run_ends_with_the_service(dashboard: Site) -> None:
    chosen = plan("registration")
    assert chosen is not None
    trial = Trial(chosen, dashboard.settings, pace_s=1.0, live=None, by="test")

    trial.run(lambda: True)

    assert trial.phase is Phase.STOPPED


def test_a_scenario_is_run_from_the_page_and_audited(dashboard: Site, admin: Browser) -> None:
    page = admin.post("/test", {"plan": "registration", "pace": "0.2"})
    busy = admin.post("/test", {"plan": "priority", "pace": "0.2"})
    run = re.search(r'hx-get="[^"]*/test/runs/(\w+)"', page.text)
    assert run is not None
    part = admin.get(f"/test/runs/{run[1]}")
    stopped = admin.post("/test/stop", {"run": run[1]})

    assert toast(page) == "Started on the sandbox"
    assert "another test is running" in toast(busy)
    assert "Five people register" in part.text
    assert toast(stopped) == "Stopping"
    assert dashboard.queue.audit(1)[0].happening.action == "run test"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"plan": "registration", "to": "081234567890"}, "type LIVE"),
        ({"plan": "registration", "typed": "LIVE", "to": "12"}, "write one number"),
        ({"plan": "failure", "typed": "LIVE", "to": "081234567890"}, "needs a gateway that fails"),
        ({"plan": "nothing"}, "choose a scenario"),
    ],
)
def test_the_live_queue_is_guarded(
    dashboard: Site, admin: Browser, form: dict[str, str], why: str
) -> None:
    page = admin.post("/test", {"where": "live", **form})

    assert why in toast(page)
    assert dashboard.queue.messages() == []


def test_a_live_run_queues_all_for_one_number_and_takes_them_back_when_stopped(
    dashboard: Site, admin: Browser
) -> None:
    form = {"plan": "priority", "where": "live", "typed": "LIVE", "to": "0812-3456-7890"}

    page = admin.post("/test", form)
    run = re.search(r"test/runs/(\w+)", page.text)
    assert run is not None
    while not (queued := dashboard.queue.messages()):
        pass
    admin.post("/test/stop", {"run": run[1]})
    while "Stopped" not in admin.get(f"/test/runs/{run[1]}").text:
        pass

    assert {message.recipient for message in queued} == {"+6281234567890"}
    assert {message.reference for message in queued} == {f"TEST-{run[1]}"}
    assert dashboard.queue.count(Filter()) == {"cancelled": 9}
