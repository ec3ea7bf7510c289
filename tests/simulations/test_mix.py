from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulations import trace
from simulations.arrivals import AtOnce, Spaced
from simulations.mix import TRACED, Assignment, Fleet, Flow, messages
from simulations.workload import Workload
from waqcore.core.instants import NEVER, SECOND
from waqcore.core.message import OnUnknown

ONE = Fleet(numbers=("a",))
REGISTRATIONS = Flow(
    name="registrations",
    arrivals=Spaced(users=3, every_us=10 * SECOND),
    brings=(("registration", 1.0),),
)
CAMPAIGN = Flow(
    name="campaign", arrivals=AtOnce(users=2), brings=(("marketing", 1.0),), starts_us=10 * SECOND
)


def mixed(flows: Sequence[Flow], fleet: Fleet = ONE, seed: int = 1) -> Workload:
    return messages(
        flows,
        fleet,
        starts_at=0,
        arrivals_rng=np.random.default_rng(seed),
        mix_rng=np.random.default_rng(seed + 1),
    )


def test_a_registration_brings_a_payment_link_and_an_activation_of_one_reference() -> None:
    workload = mixed([REGISTRATIONS])

    assert workload.at.tolist() == [0, 0, 10_000_000, 10_000_000, 20_000_000, 20_000_000]
    assert workload.priority.tolist() == [1, 2, 1, 2, 1, 2]
    assert workload.references == ["REG-1", "REG-1", "REG-2", "REG-2", "REG-3", "REG-3"]
    assert workload.send_at.tolist() == [0] * 6
    assert workload.expires_at.tolist() == [NEVER] * 6
    assert not workload.hold.any()


def test_flows_are_one_queue_and_a_campaign_shares_its_name() -> None:
    workload = mixed([REGISTRATIONS, CAMPAIGN])

    # At 10 s the second registration was written first, so it is enqueued first.
    assert workload.priority.tolist() == [1, 2, 1, 2, 3, 3, 1, 2]
    assert workload.references is not None
    assert list(workload.references[2:6]) == ["REG-2", "REG-2", "campaign", "campaign"]


def test_weights_are_shares_of_people() -> None:
    flow = Flow(
        name="all",
        arrivals=AtOnce(users=10_000),
        brings=(("registration", 1.0), ("reminder", 2.0), ("marketing", 5.0)),
    )

    kinds = Counter(mixed([flow]).priority.tolist())

    assert abs(kinds[1] - 1_250) < 150  # One in eight registers: four sds.
    assert abs(kinds[2] - kinds[1] - 2_500) < 180
    assert abs(kinds[3] - 6_250) < 200


def test_messages_can_be_for_later_and_can_expire() -> None:
    flow = Flow(
        name="reminders",
        arrivals=AtOnce(users=1),
        brings=(("reminder", 1.0),),
        starts_us=SECOND,
        send_after_us=60 * SECOND,
        expires_after_us=90 * SECOND,
    )

    workload = mixed([flow], Fleet(numbers=("a",), on_unknown=OnUnknown.HOLD))

    assert workload.send_at.tolist() == [61_000_000]
    assert workload.expires_at.tolist() == [91_000_000]
    assert workload.hold.tolist() == [True]


def test_round_robin_deals_people_not_messages() -> None:
    fleet = Fleet(numbers=("a", "b"), assignment=Assignment.ROUND_ROBIN)

    assert mixed([REGISTRATIONS], fleet).sender.tolist() == [0, 0, 1, 1, 0, 0]


def test_a_hash_keeps_a_person_with_a_sender_and_spreads_people() -> None:
    flow = Flow(name="r", arrivals=AtOnce(users=3_000), brings=(("registration", 1.0),))

    sender = mixed([flow], Fleet(numbers=("a", "b", "c"), assignment=Assignment.HASH)).sender

    assert np.array_equal(sender[0::2], sender[1::2])
    assert all(abs(share - 1_000) < 110 for share in np.bincount(sender[0::2]))
    assert set(np.bincount(sender[0::2])) != {1_000}  # Dealing in turn would be exact.


def test_traced_priorities_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("enqueued_at,priority\n1,low\n2,high\n3,normal\n4,bypass\n", encoding="utf-8")
    flow = Flow(name="then", arrivals=trace.read(path), brings=((TRACED, 1.0),))

    assert mixed([flow]).priority.tolist() == [3, 1, 2, 1]


def test_more_people_in_one_flow_leave_the_other_as_it_was() -> None:
    mixture = (("reminder", 1.0), ("marketing", 1.0))
    second = Flow(name="b", arrivals=AtOnce(users=50), brings=mixture, starts_us=SECOND)
    few = Flow(name="a", arrivals=AtOnce(users=10), brings=mixture)
    more = Flow(name="a", arrivals=AtOnce(users=20), brings=mixture)

    after_few, after_more = mixed([few, second]), mixed([more, second])

    assert after_few.priority[-50:].tolist() == after_more.priority[-50:].tolist()


def test_nobody_is_a_workload_too() -> None:
    assert len(mixed([Flow(name="a", arrivals=AtOnce(users=0), brings=(("reminder", 1.0),))])) == 0
