"""The texts of registrations: Jinja templates, ours or the user's own, checked before they serve.

It knows what may stand in a text and what a template may do; not when one is sent, nor to whom.
"""

import difflib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    meta,
)
from jinja2.sandbox import SandboxedEnvironment

from waqcore.text import TextError, clean_text

SHIPPED = Path(__file__).parent

FILE_BYTES_MAX = 65_536
"""A template of more is not the text of a message, of which 4096 characters may be sent."""


class Kind(StrEnum):
    """What a text is for."""

    PAYMENT_LINK = "payment_link"
    ACTIVATION = "activation"
    PAYMENT_CONFIRMED = "payment_confirmed"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_REMINDER = "payment_reminder"


class Language(StrEnum):
    """A language we have texts in."""

    ID = "id"
    EN = "en"


class TemplatesError(ValueError):
    """A template, or a value for one, has to be corrected; the text says which, and how."""


STANDARD: Mapping[str, str] = {
    "name": "Budi",
    "registration_id": "REG-1",
    "payment_url": "https://bayar.example/REG-1",
    "expires_at": "5 Maret 2026 pukul 10.00 WIB",
    "event": "Lari 10K",
    "amount": "Rp150.000",
    "invoice": "INV-1",
    "phone": "+6281234567890",
}
"""What every template may use, with examples. Whatever else an application sends along is there
too."""

ALWAYS = frozenset({"name", "registration_id", "payment_url", "invoice", "phone"})
"""Those of them that are never None."""


class Templates:
    """A text of each kind in each language."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read and try them all: ours, and instead of them those in the user's own folder.

        Raises:
            TemplatesError: a file there is none of ours, or cannot be read or rendered.
        """
        self._texts = {
            (language, kind): _read(SHIPPED, language, kind)
            for language in Language
            for kind in Kind
        }
        if folder is not None:
            for language, kind in _found(folder):
                self._texts[language, kind] = _read(folder, language, kind)

    def text(self, kind: Kind, language: Language, values: Mapping[str, object]) -> str:
        """The text of a message.

        Raises:
            TemplatesError: the template wants a value that is not there, or cannot be rendered.
        """
        return _rendered(self._texts[language, kind], f"{language}/{kind}.txt", values)


@cache
def shipped() -> Templates:
    """Our own texts, read once."""
    return Templates()


def _environment() -> SandboxedEnvironment:
    # Nothing is escaped: a message is no HTML, and values are neutralised for what it is instead.
    return SandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )


def _found(folder: Path) -> list[tuple[Language, Kind]]:
    """What the user's own folder has; a file that would never be used is a slip of its writer."""
    if not folder.is_dir():
        raise TemplatesError(f"WAQ_TEMPLATES names no folder: {str(folder)!r}")
    ours = {f"{language}/{kind}.txt": (language, kind) for language in Language for kind in Kind}
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )
    for name in found:
        if name not in ours:
            close = difflib.get_close_matches(name, ours, n=1, cutoff=0.0)
            raise TemplatesError(
                f"{folder / name} is no template that is ever used: did you mean {close[0]}?"
            )
    return [ours[name] for name in found]


def _read(folder: Path, language: Language, kind: Kind) -> Template:
    path = folder / language / f"{kind}.txt"
    environment = _environment()
    try:
        source = _source(path)
        template = environment.from_string(source)
        wanted = meta.find_undeclared_variables(environment.parse(source))
    except TemplateSyntaxError as error:
        raise TemplatesError(f"{path}, line {error.lineno}: {error.message}") from None
    others = dict.fromkeys(wanted - STANDARD.keys() - environment.globals.keys(), "1")
    bare = {name: value if name in ALWAYS else None for name, value in STANDARD.items()}
    for values in (STANDARD, bare):
        _rendered(template, str(path), {**others, **values})
    return template


def _source(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if len(raw) > FILE_BYTES_MAX:
            raise TemplatesError(
                f"{path} has {len(raw)} bytes, and a template may have {FILE_BYTES_MAX}"
            )
        return raw.decode("utf-8-sig")  # Editors on Windows begin a file with a mark.
    except OSError as error:
        raise TemplatesError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TemplatesError(f"{path} is not UTF-8, at byte {error.start}: save it so") from None


def _rendered(template: Template, name: str, values: Mapping[str, object]) -> str:
    try:
        return clean_text(template.render(values))
    except UndefinedError as error:
        raise TemplatesError(
            f"{name} wants what was not given: {error.message}; give it, or test for it with "
            "{% if … is defined %}"
        ) from None
    except TextError as error:
        raise TemplatesError(f"{name}: {error}") from None
    # A template can fail in any way Python can; whichever it is, its writer has to hear of it.
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise TemplatesError(f"{name} cannot be rendered: {error}") from None
