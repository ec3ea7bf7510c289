"""Ids tell nobody what comes next, and an index the order they were made in."""

from waqcore.ids import new_id, new_ids

WALL = 1_767_225_600_123_456


def test_ids_of_one_instant_are_in_order_and_all_different() -> None:
    ids = new_ids("msg", WALL, 1_000)

    assert ids == sorted(set(ids))
    assert len(ids) == 1_000


def test_an_id_has_its_millisecond_and_sixty_four_bits_of_chance() -> None:
    made, others = new_id("msg", WALL), new_ids("msg", WALL, 2)

    assert {len(id_) for id_ in (made, *others)} == {4 + 11 + 16}
    assert {id_[:15] for id_ in (made, *others)} == {"msg_19b76daa87b"}
    assert new_id("msg", WALL + 1_000) > max(made, *others)


def test_none_are_none() -> None:
    assert new_ids("msg", WALL, 0) == []
