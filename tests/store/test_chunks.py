"""The runs that IN lists are made of."""

from waqcore.store.lanes import chunks


def test_a_run_is_filled_up_to_a_power_of_two_with_its_last_value() -> None:
    assert list(chunks(["a", "b", "c"])) == [["a", "b", "c", "c"]]
    assert list(chunks(["a", "b", "c", "d"])) == [["a", "b", "c", "d"]]
    assert list(chunks(["a"])) == [["a"]]
    assert list(chunks([])) == []


def test_a_long_list_is_split() -> None:
    assert [len(run) for run in chunks(list(range(1_100)))] == [512, 512, 128]
    assert {value for run in chunks(list(range(1_100))) for value in run} == set(range(1_100))
