"""The model and the real dispatcher make the same calls, to the microsecond."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from simulations.lane import ModelLane
from simulations.model import Model, Press, simulate
from simulations.workload import Job, workload
from tests.scenario import RAM_DISK
from tests.simulations.cases import END_S, GRID_US, JUDGED_S, Act, Case, Enqueue, cases
from tests.simulations.production import (
    PROBE_LATENCY_US,
    SENDERS,
    Called,
    Told,
    empty_database,
    played,
)
from tests.virtual_time import EPOCH
from waqcore.core import control, order
from waqcore.core.instants import NEVER, SECOND
from waqcore.core.message import OnUnknown, Priority
from waqcore.core.outcome import Healthy, NotSent, Outcome, ProbeResult, SenderDown
from waqcore.core.policy import Sender
from waqcore.dispatcher.wakes import Wakes
from waqcore.settings import Kind, Settings

EXAMPLES = 1_000


class _Scripted:
    """The case's gateway, as the model sees it."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return self._case.answer(seq, attempt)

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        well = at - EPOCH >= self._case.well_at
        return (Healthy() if well else SenderDown("disconnected")), PROBE_LATENCY_US


def _press(act: Act) -> Press:
    return Press(EPOCH + act.at, partial(_pressed, act))


def _pressed(act: Act, model: Model) -> None:
    now = EPOCH + act.at
    until = NEVER if act.until is None else EPOCH + act.until
    lane = model.lanes[act.sender]
    match act.kind:
        case "pause":
            lane.change(lambda one: control.pause(one, "lunch", now, until), "pause")
        case "resume":
            lane.change(control.resume, "resume")
        case "process":
            lane.change(control.force, "process")
        case "cancel":
            for one in model.lanes:
                one.cancel(act.message, "cancelled")
        case _:
            {"stop": model.stop, "crash": model.crash, "start": model.start}[act.kind]()


def _policy(case: Case) -> Settings:
    given = {"guard_ms": 0.0, "timezone": "UTC", **case.settings}
    return Settings(gateway=Kind.SANDBOX, whatsapp_sender=SENDERS[0], **given)


def modelled(case: Case, ids: tuple[str, ...]) -> Told:
    """Run a case on the model."""
    policy = _policy(case).policy()
    senders = [Sender(number, "default", policy) for number in SENDERS[: case.senders]]
    jobs = [
        Job(
            EPOCH + one.at,
            one.priority,
            one.sender,
            None,
            0 if one.send_at is None else EPOCH + one.send_at,
            NEVER if one.expires_at is None else EPOCH + one.expires_at,
            one.on_unknown,
            id_,
        )
        for one, id_ in zip(case.enqueues, ids, strict=True)
    ]
    ran = simulate(
        workload(jobs, [sender.number for sender in senders]),
        _Scripted(case),
        senders,
        seed=case.settings["seed"],
        presses=[_press(act) for act in case.acts],
        starts_at=EPOCH,
        until=EPOCH + END_S * SECOND,
    )
    rows = ran.attempt_rows().sort_values(["called_at", "seq"])
    columns = (rows[name].tolist() for name in ("called_at", "seq", "number", "outcome"))
    calls = [Called(*row) for row in zip(*columns, strict=True)]
    return Told(ids, calls, ran.messages()["state"].tolist())


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def quick() -> Iterator[Path]:
    with TemporaryDirectory(dir=RAM_DISK if RAM_DISK.exists() else None) as made:
        yield Path(made)


def _judged(told: Told) -> list[Called]:
    return [call for call in told.calls if call.called_at - EPOCH <= JUDGED_S * SECOND]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # Shrinking plays thousands more, for many minutes.
)
@given(case=cases())
def test_the_model_makes_the_calls_that_production_makes(
    case: Case, quick: Path, template: Path
) -> None:
    real = played(case, quick, template)
    model = modelled(case, real.ids)

    assert _judged(model) == _judged(real)


BUSY = Case(
    senders=1,
    settings={"pace_seconds": 2.0, "seed": 0},
    enqueues=tuple(
        Enqueue(n * GRID_US, 0, priority, None, None, OnUnknown.RESEND)
        for n, priority in enumerate([Priority.LOW, Priority.LOW, Priority.HIGH, Priority.HIGH])
    ),
    acts=(),
    answers=(((NotSent("busy"), GRID_US),), (), ((NotSent("busy"), GRID_US),), ()),
    well_at=0,
)
"""Two low, then two high, of which one each fails once."""


def _both(quick: Path, template: Path) -> tuple[list[Called], list[Called]]:
    real = played(BUSY, quick, template)
    return _judged(modelled(BUSY, real.ids)), _judged(real)


def test_a_changed_core_changes_both_alike(
    quick: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = _both(quick, template)
    monkeypatch.setattr(order, "place", lambda message: (-message.priority, message.due_at))

    model, real = _both(quick, template)

    assert model == real
    assert [call.message for call in real] != [call.message for call in before]


def test_a_model_that_is_off_by_a_microsecond_is_caught(
    quick: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ModelLane._wait
    monkeypatch.setattr(ModelLane, "_wait", lambda lane, until: right(lane, until + 1))

    model, real = _both(quick, template)

    assert model != real


def test_a_dispatcher_that_is_off_by_a_microsecond_is_caught(
    quick: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Wakes.set
    monkeypatch.setattr(Wakes, "set", lambda wakes, sender, at: right(wakes, sender, at + 1))

    model, real = _both(quick, template)

    assert model != real
