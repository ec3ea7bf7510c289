"""The list of peers, and the commands their processes take, on a producer that only counts."""

from collections import Counter
from pathlib import Path

import pytest

from tests.peers.catalogue import PEERS
from tests.peers.drive import enqueue, fill, measure
from tests.peers.peer import BATCH, Peer, Producer, Runtime

ADAPTERS = Path(__file__).with_name("adapters")


class Counting:
    """A producer that keeps what it was given."""

    def __init__(self) -> None:
        self.seen: Counter[int] = Counter()

    def producer(self, *, takes_many: bool) -> Producer:
        """With or without a call that takes many."""
        return Producer(
            one=lambda number: self.seen.update([number]),
            many=self.seen.update if takes_many else None,
        )


def test_names_and_titles_are_each_used_once() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert len({peer.title for peer in PEERS}) == len(PEERS)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_has_an_adapter(peer: Peer) -> None:
    suffix = "cjs" if peer.runtime is Runtime.NODE else "py"

    assert (ADAPTERS / f"{peer.adapter}.{suffix}").is_file()


def test_an_enqueue_hands_over_each_number_in_turn() -> None:
    counting = Counting()

    said = enqueue(counting.producer(takes_many=False), ["5", "3"])

    assert list(counting.seen) == [5, 6, 7]
    assert said == {"count": 3}


@pytest.mark.parametrize("takes_many", [True, False])
def test_a_fill_reaches_its_count(takes_many: bool) -> None:  # noqa: FBT001
    counting = Counting()

    said = fill(counting.producer(takes_many=takes_many), ["0", "1000", "10"])

    assert said == {"count": 1_000}
    assert counting.seen == Counter(range(1_000))


def test_a_fill_ends_when_its_time_is_over() -> None:
    said = fill(Counting().producer(takes_many=True), ["0", "1000", "0"])

    assert said == {"count": 0}


@pytest.mark.parametrize(("how", "size"), [("one", 1), ("many", BATCH)])
def test_what_was_measured_is_counted_and_no_number_is_used_twice(how: str, size: int) -> None:
    counting = Counting()

    said = measure(counting.producer(takes_many=True), [how, "7"])

    assert said["count"] == counting.seen.total()
    assert counting.seen.total() % size == 0
    assert set(counting.seen) == set(range(7, 7 + counting.seen.total()))


def test_a_peer_that_takes_no_batches_says_so() -> None:
    said = measure(Counting().producer(takes_many=False), ["many", "0"])

    assert said == {"rates": None, "count": 0}
