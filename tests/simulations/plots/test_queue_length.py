import numpy as np
from matplotlib.axes import Axes

from simulations import plots, scenario
from tests.simulations.plots.handmade import MESSAGES, explained, message, messages, said, title


def height(axes: Axes, pile: int, at: float) -> int:
    """How high a pile is at an instant; 0 is the lowest priority's, drawn first."""
    path = axes.collections[pile].get_paths()[0]
    return next(n for n in range(10) if not path.contains_point((at, n + 0.5)))


def test_those_queued_are_piled_up_by_priority() -> None:
    two = messages(message(0, "high", 0, [9]), message(1, "low", 4, [19]), message(2, "low", 4))

    axes = plots.queue_length(two).axes[0]

    assert [height(axes, 0, at) for at in (2, 5, 12)] == [1, 3, 2]
    assert [height(axes, 1, at) for at in (2, 5)] == [1, 1]
    assert axes.get_ylim()[0] == 0


def test_the_title_tells_the_peak() -> None:
    picture = plots.queue_length(MESSAGES)

    assert title(picture) == "At most 6 messages in the queue at once"
    assert explained(picture) == ["high", "normal", "low"]


def test_a_message_counts_from_when_it_is_due_and_until_it_ends_or_nobody_knows() -> None:
    some = messages(
        message(0, "low", 0, [60], send_at=50),
        message(1, "low", 0, state="cancelled", send_at=90, ended=10),
        message(2, "low", 1, [2], state="unknown"),
    )

    picture = plots.queue_length(some)

    assert title(picture) == "At most 1 message in the queue at once"
    assert [height(picture.axes[0], 0, at) for at in (1.5, 55)] == [1, 1]


def test_lost_messages_do_not_wait_and_it_says_so() -> None:
    picture = plots.queue_length(
        messages(message(0, "high", 0, [5]), message(1, "high", 0, state="lost"))
    )

    assert title(picture) == "At most 1 message in the queue at once"
    assert said(picture) == "1 lost messages not counted"


def test_of_many_instants_the_fullest_are_drawn() -> None:
    run = scenario.play(scenario.load("2000-in-a-minute"))

    picture = plots.queue_length(run.messages())

    axes = picture.axes[0]
    corners = np.asarray(axes.collections[0].get_paths()[0].vertices)
    most = int(title(picture).split()[2].replace(",", ""))
    assert corners[:, 1].max() == most > 3_990
    assert len(corners) < 4_000
    assert "each point the fullest instant of" in said(picture)
