"""`make notebooks`: run every notebook, or those named, in full, and keep the outputs."""

import argparse
import time

from tests.notebooks.notebooks import executed, keep, sources


def main() -> None:
    """Run them one after the other."""
    parser = argparse.ArgumentParser(prog="make notebooks", description=__doc__)
    names = [source.stem for source in sources()]
    parser.add_argument("only", nargs="*", choices=[*names, []], help="some of them")
    only = parser.parse_args().only or names
    for source in sources():
        if source.stem in only:
            began = time.perf_counter()
            path = keep(source, executed(source, fast=False))
            print(f"{path.name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
