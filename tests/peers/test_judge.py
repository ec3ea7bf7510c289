"""The judge of the peers, on arrivals written by hand."""

from tests.peers.judge import Arrival, judge

SECOND = 1_000_000


def arrivals(*seen: tuple[int, float], cut: tuple[int, ...] = ()) -> list[Arrival]:
    """Calls by message number and second; those at the indexes in `cut` had no one to answer."""
    return [
        Arrival(number=number, at_us=round(at_s * SECOND), answered=index not in cut)
        for index, (number, at_s) in enumerate(seen)
    ]


def test_a_run_that_keeps_pace_and_order_has_nothing_against_it() -> None:
    verdict = judge(arrivals((0, 10.0), (1, 11.0), (2, 12.25)), 3)

    assert verdict.gap_us == SECOND
    assert (verdict.disordered, verdict.lost, verdict.doubled, verdict.cut) == (0, 0, 0, 0)
    assert verdict.rerun_us is None


def test_the_smallest_gap_is_that_of_any_two_calls_that_follow_each_other() -> None:
    verdict = judge(arrivals((0, 1.0), (2, 3.0), (1, 2.9)), 3)

    assert verdict.gap_us == 100_000


def test_a_single_call_has_no_gap() -> None:
    assert judge(arrivals((0, 1.0)), 1).gap_us is None


def test_each_message_that_starts_after_a_later_one_is_out_of_order() -> None:
    verdict = judge(arrivals((0, 1.0), (3, 2.0), (1, 3.0), (2, 4.0), (4, 5.0)), 5)

    assert verdict.disordered == 2


def test_a_repeat_is_not_out_of_order() -> None:
    verdict = judge(arrivals((0, 1.0), (1, 2.0), (0, 3.0), cut=(0,)), 2, 1_500_000)

    assert verdict.disordered == 0


def test_a_message_without_a_call_is_lost() -> None:
    assert judge(arrivals((0, 1.0), (2, 2.0)), 4).lost == 2


def test_a_message_whose_only_call_was_cut_is_lost() -> None:
    verdict = judge(arrivals((0, 1.0), (1, 2.0), cut=(0,)), 2, 1_200_000)

    assert (verdict.lost, verdict.cut, verdict.rerun_us) == (1, 1, None)


def test_a_message_with_two_answered_calls_is_doubled() -> None:
    assert judge(arrivals((0, 1.0), (0, 2.0), (1, 3.0)), 2).doubled == 1


def test_a_cut_call_and_its_repeat_are_no_double() -> None:
    verdict = judge(arrivals((0, 1.0), (0, 4.0), cut=(0,)), 1, 1_200_000)

    assert (verdict.doubled, verdict.lost) == (0, 0)
    assert verdict.rerun_us == 2_800_000


def test_the_way_back_is_that_of_the_last_of_the_cut_messages() -> None:
    seen = arrivals((0, 1.0), (1, 1.1), (0, 3.0), (1, 5.0), cut=(0, 1))

    verdict = judge(seen, 2, 1_500_000)

    assert (verdict.cut, verdict.rerun_us) == (2, 3_500_000)


def test_one_cut_message_that_never_comes_back_leaves_no_way_back() -> None:
    seen = arrivals((0, 1.0), (1, 1.1), (0, 3.0), cut=(0, 1))

    assert judge(seen, 2, 1_500_000).rerun_us is None


def test_a_kill_that_cuts_no_call_has_no_way_back_to_measure() -> None:
    verdict = judge(arrivals((0, 1.0), (1, 3.0)), 2, 2_000_000)

    assert (verdict.cut, verdict.rerun_us) == (0, None)


def test_nothing_at_all_is_all_lost() -> None:
    verdict = judge([], 20, None)

    assert (verdict.lost, verdict.gap_us, verdict.disordered) == (20, None, 0)
