"""`waq deploy-files`: what operations need beside the program."""

from pathlib import Path
from typing import Annotated

import typer

from waqcore.cli.errors import NotDone

EXAMPLES = """Examples:
  waq deploy-files deploy            units, alert rules, dashboard, runbook
  waq deploy-files deploy --force    after an upgrade; overwrites what is there"""


def deploy_files(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where to; made if missing.")],
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Overwrite files that differ.")
    ] = False,
) -> None:
    """Write out what operations need: systemd units, Prometheus rules, dashboard, runbook.

    A file that is there and differs is left alone unless forced; then nothing at all is written.
    """
    from waqcore import deploy

    try:
        written = deploy.write_out(Path(folder), overwrite=force)
    except deploy.DiffersError as error:
        raise NotDone(str(error)) from None
    except OSError as error:
        raise NotDone(f"{folder!r} cannot be written: {error.strerror}") from None
    for path in written:
        print(path)
