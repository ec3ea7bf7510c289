from loadtests.mock_gateway.expectation import Expectation, Expected
from loadtests.mock_gateway.log import Call, Delivered
from loadtests.mock_gateway.mpwa import NOT_SENT, SENT
from loadtests.mock_gateway.verdict import judge

PACE = Expectation(pace=10.0)


def _call(number: int, at_s: float, text: str, *, sender: str = "S", arrives: str = "") -> Call:
    """A call that was delivered; *arrives* is the delivered text if it is another one."""
    deliveries = (Delivered("62811", arrives or text),)
    at_us = round(at_s * 1_000_000)
    return Call(number, at_us, sender, ("62811",), text, deliveries, SENT, "ok", at_us, "C")


def _failed(number: int, at_s: float, text: str) -> Call:
    return _call(number, at_s, text)._replace(deliveries=(), answer=NOT_SENT, fault="failed")


def _message(text: str, *, allowed_doubles: bool | int = 0) -> Expected:
    return Expected(sender="S", recipient="0062811", text=text, allowed_doubles=allowed_doubles)


def _expecting(*messages: Expected, order: tuple[int, ...] = ()) -> Expectation:
    return Expectation(pace=0, expected=messages, order=order)


def test_a_run_that_holds_the_pace_exactly_is_clean() -> None:
    calls = [_call(1, 0, "a"), _call(2, 10, "b"), _call(3, 1, "c", sender="T")]

    verdict = judge(calls, PACE)

    assert verdict.clean
    assert verdict.problems == []
    assert (verdict.calls, verdict.delivered) == (3, 3)
    assert verdict.senders["S"].smallest_gap_s == 10.0
    assert verdict.senders["T"].smallest_gap_s is None


def test_a_gap_one_microsecond_short_is_found() -> None:
    calls = [_call(1, 0, "a"), _failed(2, 9.999999, "b"), _call(3, 30, "c")]

    verdict = judge(calls, PACE)

    assert verdict.problems == [
        "S: 1 gaps under the pace of 10 s, the smallest 9.999999 s (calls 1 and 2)"
    ]
    assert verdict.short_gaps == verdict.senders["S"].short_gaps == 1
    assert verdict.worst_gaps[0].calls == (1, 2)


def test_calls_logged_out_of_turn_are_judged_by_their_arrival() -> None:
    verdict = judge([_call(1, 20, "b"), _call(2, 0, "a"), _call(3, 10, "c")], PACE)

    assert verdict.clean
    assert verdict.senders["S"].smallest_gap_s == 10.0


def test_a_run_without_a_single_call_is_not_clean() -> None:
    assert judge([], PACE).problems == ["no send call was received"]
    assert judge([], Expectation(pace=10, expect=0)).clean


def test_a_text_delivered_twice_is_doubled() -> None:
    verdict = judge([_call(1, 0, "a"), _call(2, 10, "a"), _call(3, 20, "b")], PACE)

    assert not verdict.clean
    assert verdict.doubled.count == 1
    assert verdict.doubled.examples[0].text == "a"


def test_a_call_that_failed_and_was_repeated_is_no_double() -> None:
    assert judge([_failed(1, 0, "a"), _call(2, 10, "a")], PACE).clean


def test_another_number_of_messages_than_expected_is_found() -> None:
    verdict = judge([_call(1, 0, "a")], Expectation(pace=0, expect=2))

    assert verdict.problems == ["1 different messages were delivered, expected 2"]


def test_a_text_changed_by_its_braces_is_found_and_a_trimmed_one_is_not() -> None:
    changed = judge([_call(1, 0, "pay {a|b}", arrives="pay a")], PACE)
    trimmed = judge([_call(1, 0, " pay ", arrives="pay\n\n> _footer_")], PACE)

    assert changed.altered.count == 1
    assert not changed.clean
    assert trimmed.clean


def test_an_expected_message_that_only_failed_is_lost() -> None:
    verdict = judge(
        [_call(1, 0, "a"), _failed(2, 1, "b")], _expecting(_message("a"), _message("b"))
    )

    assert verdict.problems == ["1 expected messages were never delivered"]
    assert verdict.lost is not None
    assert verdict.lost.examples[0].text == "b"


def test_equal_messages_are_counted_one_by_one() -> None:
    twice = _expecting(_message("a"), _message("a"))

    assert judge([_call(1, 0, "a"), _call(2, 1, "a")], twice).clean
    lost = judge([_call(1, 0, "a")], twice).lost
    assert lost is not None
    assert lost.count == 1


def test_a_delivery_nobody_expected_is_found() -> None:
    verdict = judge([_call(1, 0, "a"), _call(2, 1, "x")], _expecting(_message("a")))

    assert verdict.problems == ["1 deliveries nobody expected"]


def test_only_as_many_doubles_as_allowed_are_clean() -> None:
    calls = [_call(1, 0, "a"), _call(2, 1, "a"), _call(3, 2, "a")]

    assert judge(calls[:2], _expecting(_message("a"))).doubled.count == 1
    assert judge(calls[:2], _expecting(_message("a", allowed_doubles=True))).clean
    assert judge(calls, _expecting(_message("a", allowed_doubles=True))).doubled.count == 1
    assert judge(calls, _expecting(_message("a", allowed_doubles=2))).clean


def test_pairs_called_in_another_order_than_given_are_counted_by_their_first_call() -> None:
    wanted = _expecting(_message("a"), _message("b"), _message("c"), order=(2, 0, 1))
    right = [_failed(1, 0, "c"), _call(2, 1, "a"), _call(3, 2, "b"), _call(4, 3, "c")]
    wrong = [_call(1, 0, "a"), _call(2, 1, "b"), _call(3, 2, "c")]

    assert judge(right, wanted).clean
    inversions = judge(wrong, wanted).inversions
    assert inversions is not None
    assert inversions.count == 2
    assert inversions.examples[0]["first_called"].text == "a"
    assert inversions.examples[0]["should_precede"].text == "c"


def test_senders_are_ordered_apart() -> None:
    other = Expected(sender="T", recipient="62811", text="t")
    wanted = _expecting(_message("a"), other, order=(0, 1))

    assert judge([_call(1, 0, "t", sender="T"), _call(2, 1, "a")], wanted).clean


def _queued(text: str, priority: int, at_s: float) -> Expected:
    return Expected(
        sender="S",
        recipient="62811",
        text=text,
        priority=priority,
        queued_at_us=round(at_s * 1_000_000),
    )


def _overtaken(high_queued_s: float) -> int:
    calls = [_call(1, 0, "low 1"), _call(2, 10, "low 2"), _call(3, 20, "high")]
    lows = (_queued("low 1", 3, 0), _queued("low 2", 3, 0))
    wanted = Expectation(pace=5, expected=(*lows, _queued("high", 1, high_queued_s)))
    found = judge(calls, wanted).overtaken
    assert found is not None
    return found.count


def test_a_call_made_while_a_higher_priority_had_waited_over_a_pace_is_found() -> None:
    assert _overtaken(high_queued_s=4.9) == 1
    assert _overtaken(high_queued_s=5.1) == 0
    assert _overtaken(high_queued_s=-5.1) == 2


def test_the_longest_waiting_of_a_priority_is_the_one_that_counts() -> None:
    calls = [_call(1, 10, "low"), _call(2, 20, "late high"), _call(3, 30, "early high")]
    highs = (_queued("late high", 1, 9), _queued("early high", 1, 0))
    found = judge(calls, Expectation(pace=5, expected=(_queued("low", 3, 0), *highs))).overtaken

    assert found is not None
    assert found.count == 1
    assert found.examples[0]["should_precede"].text == "early high"


def test_messages_of_one_priority_may_go_in_either_order() -> None:
    calls = [_call(1, 0, "b"), _call(2, 10, "a")]
    wanted = Expectation(pace=5, expected=(_queued("a", 2, -60), _queued("b", 2, -6)))

    assert judge(calls, wanted).clean


def test_a_lower_priority_that_waits_is_in_order() -> None:
    calls = [_call(1, 0, "high"), _call(2, 10, "low")]
    wanted = Expectation(pace=5, expected=(_queued("low", 3, -60), _queued("high", 1, -6)))

    assert judge(calls, wanted).clean


def test_a_banned_sender_is_named() -> None:
    verdict = judge([_call(1, 0, "a")], PACE, banned=("S",))

    assert not verdict.clean
    assert verdict.banned == ["S"]
