"""Thousands of stories in which anything may break; and the observer itself, put to the test."""

import pytest

from tests.dst.bugs import GIVEN, Bug, Misfit, planted
from tests.dst.many import failing
from tests.dst.plan import plan_of
from tests.dst.play import Failure, fails, play
from tests.dst.strangers import STRANGERS

STORIES = 1_000
"""In `make test`; more by `make dst SEEDS=20000`."""

SEEDS_MAX = 2_000
"""A planted bug must be found within so many."""


def test_every_promise_is_kept_whatever_breaks() -> None:
    found = [failure for _, failure in failing(range(STORIES)) if failure is not None]

    assert not found, "\n\n".join(map(str, found[:3]))


@pytest.mark.parametrize("seed", [3, 69, 313])
def test_a_seed_replays_exactly(seed: int) -> None:
    assert play(plan_of(seed)) == play(plan_of(seed))


@pytest.mark.parametrize("bug", [*GIVEN, *STRANGERS], ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    with planted(bug):
        assert _first_failure(bug.seed) is not None


def _first_failure(hint: int) -> Failure | None:
    for seed in (hint, *range(SEEDS_MAX)):
        failure = fails(seed, cut=False)
        if failure is not None:
            return failure
    return None


def test_a_failing_story_is_cut_down_to_what_matters() -> None:
    bug = GIVEN[-1]
    with planted(bug):
        whole, cut = fails(bug.seed, cut=False), fails(bug.seed)

    assert whole is not None
    assert cut is not None
    assert len(cut.plan.acts) < len(whole.plan.acts)
    assert cut.broken.promise == whole.broken.promise == "P3 order"
    assert f"make dst SEED={bug.seed}" in str(cut)


def test_a_bug_that_no_longer_fits_the_code_says_so() -> None:
    stale = GIVEN[0]._replace(was="a line that was changed long ago")

    with pytest.raises(Misfit, match="not once"), planted(stale):
        pass
