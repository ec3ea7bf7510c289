import pytest

from simulations import plots, scenario
from tests.simulations.plots.handmade import (
    ATTEMPTS,
    MESSAGES,
    START,
    attempt,
    attempts,
    explained,
    lines,
    message,
    messages,
    points,
    said,
    title,
    words,
)
from waqcore.core.instants import HOUR, SECOND


def test_each_message_waits_in_its_own_row_by_priority_then_enqueue() -> None:
    axes = plots.timeline(MESSAGES, ATTEMPTS).axes[0]

    waiting, again = lines(axes)

    # Called at once, message 0 never waited; message 4 waits still, at the end of the last call.
    assert [[x, to] for x, _, to, _ in waiting] == [[1, 20], [0, 30], [1, 40], [2, 53], [3, 33]]
    heights = [y for _, y, _, _ in waiting]
    assert heights == sorted(heights)
    assert [[x, to] for x, _, to, _ in again] == [[0, 12], [40, 52]]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "REG-1",
        "REG-2",
        "REG-1",
        "REG-2",
        "m4",
        "m5",
    ]


def test_messages_in_any_order_get_the_rows_of_their_sequence() -> None:
    shuffled = MESSAGES.sample(frac=1, random_state=1).reset_index(drop=True)

    axes = plots.timeline(shuffled, ATTEMPTS).axes[0]

    rows = axes.get_yticks().tolist()
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["REG-1", "REG-2", "REG-1", "REG-2", "m4", "m5"]
    assert points(axes)[0] == [[12, rows[0]], [20, rows[1]], [30, rows[2]]]


def test_every_call_is_marked_by_its_outcome_and_every_end_without_being_sent() -> None:
    picture = plots.timeline(MESSAGES, ATTEMPTS)

    accepted, failed, turned_away, unsent = points(picture.axes[0])

    assert [x for x, _ in accepted] == [12, 20, 30]
    assert [x for x, _ in failed] == [0, 52]
    assert [x for x, _ in turned_away] == [40]
    assert sorted(x for x, _ in unsent) == [33, 52]  # Expired, and failed.
    assert explained(picture) == [
        "waits for its first call",
        "waits to be called again",
        "call accepted",
        "call failed",
        "turned away, not counted",
        "ended without being sent",
    ]


def test_a_timeline_says_how_many_were_sent_and_what_became_of_the_others() -> None:
    picture = plots.timeline(MESSAGES, ATTEMPTS, about="six messages")

    assert title(picture) == "3 of 6 messages sent, the last after 30.0 s"
    assert said(picture) == "six messages · 6 calls, 1 not sent, 1 refused, 1 rejected"
    written = words(picture).split("\n")
    assert {"12.0", "20.0", "30.0", "failed", "queued", "expired"} <= set(written)
    assert "high: 2 messages" in written


def test_a_call_without_an_answer_is_drawn_and_one_that_never_left_is_not() -> None:
    sending = messages(message(0, "low", 0, [5], "sending"), message(1, "low", 1, state="queued"))
    calls = attempts(attempt(0, "low", 5, None), attempt(1, "low", 7, "not_called"))

    picture = plots.timeline(sending, calls)

    assert points(picture.axes[0])[0][0][0] == 5
    assert len(points(picture.axes[0])) == 1
    assert "no answer yet" in explained(picture)


def test_a_message_for_later_is_drawn_dotted_until_it_is_due() -> None:
    later = messages(message(0, "low", 0, [60], send_at=50))

    waiting, not_due = lines(plots.timeline(later, attempts()).axes[0])

    assert [waiting[0][0], waiting[0][2]] == [50, 60]
    assert [not_due[0][0], not_due[0][2]] == [0, 50]


def test_calls_of_messages_that_are_not_in_the_frame_are_left_out() -> None:
    picture = plots.timeline(MESSAGES[:1], ATTEMPTS)

    assert sum(len(marks) for marks in points(picture.axes[0])) == 2


@pytest.mark.parametrize(("n", "names"), [(40, 40), (41, 0)])
def test_more_rows_than_can_be_read_become_a_shape(n: int, names: int) -> None:
    many = messages(*(message(k, "low", k, [100 + 10 * k]) for k in range(n)))

    axes = plots.timeline(many, attempts()).axes[0]

    assert len(axes.get_yticks()) == names
    assert len(lines(axes)[0]) == n


def test_of_very_many_messages_some_are_drawn_and_it_says_so() -> None:
    run = scenario.play(scenario.load("2000-in-a-minute"))

    picture = plots.timeline(run.messages(), run.attempt_rows())

    assert len(lines(picture.axes[0])[0]) == pytest.approx(3_000, abs=5)
    assert "high: 2,000 messages (1,500 of them drawn)" in words(picture)
    assert title(picture).startswith("4,000 of 4,000 messages sent")


def test_the_founding_five_leave_when_they_should() -> None:
    run = scenario.play(scenario.load("founding-five"))

    (accepted,) = points(plots.timeline(run.messages(), run.attempt_rows()).axes[0])

    assert [x for x, _ in accepted] == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]


def test_a_run_of_hours_is_told_by_the_clock_of_the_place() -> None:
    long = messages(message(0, "low", 0, [4 * 3_600]))

    picture = plots.timeline(long, attempts(), utc_offset_us=7 * HOUR)
    picture.draw_without_rendering()
    axes = picture.axes[0]

    assert START % (24 * HOUR) == 3 * HOUR
    assert axes.get_xlabel() == "clock time on 1 Mar 2026 (UTC+07:00)"
    assert "12:00" in [label.get_text() for label in axes.get_xticklabels()]
    assert lines(axes)[0][0][0] == 10  # 10:00 in the morning.
    assert START / SECOND == 1_772_334_000
