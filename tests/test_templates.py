"""Texts of registrations: the operator's own are tried before they serve, and kept in a sandbox."""

from pathlib import Path

import pytest

from waqcore.templates import STANDARD, Kind, Language, Templates, TemplatesError


def own(folder: Path, text: str, name: str = "id/payment_link.txt") -> Templates:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Templates(folder)


def refusal(folder: Path, text: str, name: str = "id/payment_link.txt") -> str:
    with pytest.raises(TemplatesError) as caught:
        own(folder, text, name)
    return str(caught.value)


def test_ones_own_text_takes_the_place_of_ours_and_no_other(tmp_path: Path) -> None:
    templates = own(tmp_path, "Bayar: {{ payment_url }}")

    link = templates.text(Kind.PAYMENT_LINK, Language.ID, STANDARD)
    assert link == "Bayar: https://bayar.example/REG-1"
    english = templates.text(Kind.PAYMENT_LINK, Language.EN, STANDARD)
    assert english.startswith("Hello Budi,")


def test_a_text_may_say_what_the_application_sends_along(tmp_path: Path) -> None:
    templates = own(tmp_path, "Kursi {{ seat }}")

    text = templates.text(Kind.PAYMENT_LINK, Language.ID, {**STANDARD, "seat": "A1"})
    assert text == "Kursi A1"
    with pytest.raises(TemplatesError, match="'seat' is undefined; give it, or test for it"):
        templates.text(Kind.PAYMENT_LINK, Language.ID, STANDARD)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{% if event %}", "line 1: Unexpected end of template"),
        ("Halo\n{{ name | shout }}", "line 2: No filter named 'shout'"),
        ("{{ name.__class__ }}", "unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ name + 1 }}", "cannot be rendered"),
        ("{{ 1 / 0 }}", "cannot be rendered"),
        ("{% for n in range(1000000) %}{% endfor %}", "Range too big"),
        ("{% if event %}{{ event }}{% endif %}", "the text is empty"),
        ("x" * 5_000, "the limit is 4096"),
        ("x" * 70_000, "may have 65536"),
        ("{% include 'other.txt' %}", "cannot be rendered"),
    ],
)
def test_a_text_that_would_fail_later_is_refused_at_the_start(
    tmp_path: Path, text: str, line: str
) -> None:
    assert line in refusal(tmp_path, text)
    assert str(tmp_path / "id" / "payment_link.txt") in refusal(tmp_path, text)


def test_a_file_that_would_never_be_used_is_refused(tmp_path: Path) -> None:
    line = refusal(tmp_path, "Halo", "id/paymentlink.txt")

    assert line.endswith("did you mean id/payment_link.txt?")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplatesError, match="WAQ_TEMPLATES names no folder"):
        Templates(tmp_path / "none")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "activation.txt").write_bytes(b"caf\xe9")

    with pytest.raises(TemplatesError, match="is not UTF-8, at byte 3"):
        Templates(tmp_path)


def test_what_is_asked_of_a_name_is_only_text(tmp_path: Path) -> None:
    values = {**STANDARD, "name": "{{ payment_url }}"}

    text = Templates().text(Kind.PAYMENT_FAILED, Language.EN, values)
    assert text.startswith("Hello {{ payment_url }},")
