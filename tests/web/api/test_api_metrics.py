"""What Prometheus reads, and whether the service says it is ready."""

import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.programs import program
from tests.scenario import SENDER, Scenario, play
from tests.web.api.conftest import SENDERS, Service
from waqcore.core.instants import SECOND
from waqcore.core.outcome import NotSent
from waqcore.store.measures import PORTION, Ended
from waqcore.web.metrics import Metrics
from waqcore.web.tally import Tally


def _samples(told: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(told)
        for one in family.samples
    }


def test_the_queue_is_counted_by_sender_and_priority(service: Service) -> None:
    for _ in range(3):
        service.enqueue(priority="high")
    service.enqueue(send_at="2099-01-01T00:00:00Z")

    told = _samples(service.client.get("/metrics").text)

    sender = ("sender", SENDERS[0])
    assert told["waq_queued_messages", (("priority", "high"), sender)] == 3
    assert told["waq_scheduled_messages", (("priority", "normal"), sender)] == 1
    assert told["waq_lane", (sender, ("state", "ready"))] == 1
    assert told["waq_dispatchers", ()] == 0


def test_recipients_are_never_labels(service: Service) -> None:
    service.enqueue()

    assert "81234567890" not in service.client.get("/metrics").text


def test_promtool_finds_no_fault(service: Service) -> None:
    promtool = program("promtool", package="prometheus")
    service.enqueue()

    told = service.client.get("/metrics").content
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=told, capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_calls_of_any_dispatcher_are_added_up(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> str:
        scenario.script = [NotSent("busy")]
        measured = Metrics(scenario.queue, clock=lambda: 0.0)
        scenario.enqueue("a", "high")
        scenario.enqueue("b", "high")
        scenario.start()
        await scenario.until(100)
        return measured.exposition().decode()

    told = _samples(play(tmp_path, story))

    sender = ("sender", SENDER)
    assert told["waq_calls_total", (("outcome", "accepted"), sender)] == 2
    assert told["waq_calls_total", (("outcome", "not_sent"), sender)] == 1
    assert told["waq_wait_seconds_count", (("priority", "high"),)] == 2
    assert told["waq_smallest_gap_seconds", (sender,)] >= 10


def test_what_was_read_is_told_again_for_a_second(service: Service) -> None:
    now = [0.0]
    measured = Metrics(service.queue, clock=lambda: now[0])
    measured.exposition()
    service.enqueue()

    early = measured.exposition()
    now[0] = 1.0

    assert b"waq_queued_messages{" not in early
    assert b"waq_queued_messages{" in measured.exposition()


def _ended(n: int, at_s: float) -> Ended:
    at = int(at_s * SECOND)
    return Ended(n, 1, "a", 1, at, at, at, at, "accepted")


def test_a_call_that_is_read_again_is_counted_once() -> None:
    tally = Tally(0)

    tally.take([_ended(1, 1), _ended(2, 20)])
    tally.take([_ended(1, 1), _ended(2, 20), _ended(3, 15)])  # Settled late.

    assert tally.outcomes["a", "accepted"] == 3
    assert tally.gaps_s["a"] == 5


def test_a_flood_is_read_portion_by_portion() -> None:
    tally = Tally(0)

    more = tally.take([_ended(n, n) for n in range(PORTION)])
    reads_from = tally.reads_from
    last = tally.take([_ended(PORTION - 1, PORTION - 1), _ended(PORTION, PORTION)])

    assert (more, last) == (True, False)
    assert reads_from == (PORTION - 1) * SECOND
    assert tally.outcomes["a", "accepted"] == PORTION + 1


def test_a_service_without_dispatcher_is_ready(service: Service) -> None:
    assert service.client.get("/readyz").json() == {"status": "ready"}


def test_a_schema_of_another_version_is_not_ready(service: Service) -> None:
    service.queue.store.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE waq_schema_version SET version_num = '9999'"
        )
    )

    answer = service.client.get("/readyz")

    assert answer.status_code == 503
    assert "9999" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/metrics", "/v1/openapi.json"])
def test_what_machines_read_asks_for_a_token(service: Service, path: str) -> None:
    answer = service.client.get(path, headers={"Authorization": ""})

    assert answer.status_code == 401
