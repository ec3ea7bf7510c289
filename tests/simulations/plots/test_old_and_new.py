from simulations import legacy, plots, scenario
from simulations.plots.old_and_new import overtaken
from tests.simulations.plots.handmade import (
    attempt,
    attempts,
    explained,
    message,
    messages,
    points,
    said,
    title,
    words,
)

OLD = (
    messages(
        message(0, "high", 0, [0]),
        message(1, "high", 1, [20]),
        message(2, "high", 2, [10]),
        message(3, "high", 3, state="lost"),
    ),
    attempts(*(attempt(n, "high", at, "accepted") for n, at in ((0, 0), (2, 10), (1, 20)))),
)
NEW = (
    messages(*(message(n, "high", n, [10 * n]) for n in range(4))),
    attempts(*(attempt(n, "high", 10 * n, "accepted") for n in range(4))),
)


def test_both_are_drawn_on_one_time_axis_and_lost_messages_are_marked() -> None:
    picture = plots.old_and_new(OLD, NEW)
    old, new = picture.axes

    assert old.get_xlim() == new.get_xlim()
    assert old.get_xlim()[1] > 31  # When the last of the new ended.
    accepted, lost = points(old)
    assert [x for x, _ in accepted] == [0, 10, 20]
    assert [x for x, _ in lost] == [3]
    assert [x for x, _ in points(new)[0]] == [0, 10, 20, 30]
    assert "lost in an enqueue" in explained(picture)
    assert {"the old loop", "waqcore"} <= set(words(picture).split("\n"))


def test_the_title_tells_what_changed() -> None:
    picture = plots.old_and_new(OLD, NEW, about="four links")

    assert title(picture) == "Of 4 messages the old loop sent 3 and lost 1; waqcore sent 4"
    assert said(picture) == (
        "four links · payment links under the old loop: 1 overtaken, last after 20.0 s; "
        "under waqcore: none overtaken, last after 30.0 s"
    )


def test_a_message_is_overtaken_by_one_that_came_later_and_was_called_before() -> None:
    assert overtaken(OLD[0]) == 1
    assert overtaken(NEW[0]) == 0
    assert overtaken(OLD[0][:0]) == 0


def test_two_hundred_people_under_both() -> None:
    prepared = scenario.prepare(scenario.load("200-in-a-minute"))
    old = legacy.simulate(prepared.workload, prepared.gateway)
    new = scenario.play(scenario.load("200-in-a-minute"))
    lost = int(old.lost.sum())

    picture = plots.old_and_new(
        (old.messages(), old.attempt_rows()), (new.messages(), new.attempt_rows())
    )

    assert lost > 0
    assert f"and lost {lost}; waqcore sent 400" in title(picture)
    assert len(points(picture.axes[0])[1]) == lost
    assert "under waqcore: none overtaken" in said(picture)
