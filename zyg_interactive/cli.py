"""The command `zyg`: check and explain files unrun, serve an editor, open the demos."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import __version__
from .diagnostics import Diagnostic
from .ide.check import Checker, check
from .ide.document import Document
from .ide.readable import adjoint

DEMOS = "demo_notebooks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0 all is well, 1 something was found, 2 it was asked wrongly."""
    options, rest = _parser().parse_known_args(argv)
    if rest and options.run is not _lab:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return int(options.run(options, rest))
    except _Slip as slip:
        print(f"zyg: {slip}", file=sys.stderr)
        return 2


class _Slip(Exception):
    """What the caller of the command can mend."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zyg", description="Gradients of plain Python and NumPy that you can see."
    )
    parser.add_argument("--version", action="version", version=f"zyg {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser(
        "check", help="what differentiation would refuse in files; nothing of them is run"
    )
    one.add_argument("files", nargs="+", metavar="FILE")
    one.add_argument(
        "--all", action="store_true", help="check functions that nothing differentiates, too"
    )
    one.add_argument("--format", choices=("text", "json"), default="text")
    one.set_defaults(run=_check)

    one = commands.add_parser(
        "explain", help="print the generated pullback of a function; the file is not run"
    )
    one.add_argument("place", metavar="FILE:FUNCTION")
    one.set_defaults(run=_explain)

    one = commands.add_parser("lsp", help="serve an editor over standard input and output")
    one.set_defaults(run=_lsp)

    one = commands.add_parser(
        "lab", help="open the demo notebooks in JupyterLab; further arguments go to it"
    )
    one.set_defaults(run=_lab)
    return parser


# ---- check and explain


def _check(options: argparse.Namespace, rest: list[str]) -> int:
    found = [d for file in options.files for d in check(_text(file), file, options.all)]
    if options.format == "json":
        print(json.dumps([_as_json(d) for d in found], indent=2))
    else:
        for d in found:
            print(d, end="\n\n")
        if found:
            print(f"{len(found)} {'finding' if len(found) == 1 else 'findings'}", file=sys.stderr)
    return 1 if found else 0


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise _Slip(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _Slip(f"{file}: not a text in UTF-8") from None


def _as_json(d: Diagnostic) -> dict[str, Any]:
    place = d.span._asdict() if d.span is not None else None
    related = [{"place": span._asdict(), "message": note} for span, note in d.related]
    return {
        "code": d.code,
        "message": d.message,
        "help": d.help,
        "place": place,
        "related": related,
    }


def _explain(options: argparse.Namespace, rest: list[str]) -> int:
    file, colon, name = options.place.rpartition(":")
    if not colon or not file:
        raise _Slip("say which function: zyg explain FILE:FUNCTION")
    checker = Checker(Document(file, _text(file)))
    finder = checker.update()
    places = [p for p in finder.places.values() if p.title == name]
    if not places:
        raise _Slip(f"{file}: no function `{name}`")
    made = adjoint(places[-1], checker.resolver, finder.custom(), exact=True)
    if made.found:
        for d in made.found:
            print(checker.placed(d), end="\n\n")
        return 1
    print(made.text)
    return 0


# ---- other programs


def _lsp(options: argparse.Namespace, rest: list[str]) -> int:
    if find_spec("pygls") is None:
        raise _Slip("the language server needs pygls: pip install 'zyg-interactive[lsp]'")
    from .lsp.server import serve

    serve()
    return 0


def _lab(options: argparse.Namespace, rest: list[str]) -> int:
    if find_spec("jupyterlab") is None:
        raise _Slip("JupyterLab is not installed: pip install jupyterlab")
    folder = demos()
    if folder is None:
        raise _Slip(
            f"no folder `{DEMOS}` here or beside the package; "
            "run `zyg lab` in a copy of the repository"
        )
    return subprocess.call([sys.executable, "-P", "-m", "jupyterlab", *rest, os.fspath(folder)])


def demos() -> Path | None:
    """The demo notebooks: in the current folder, or beside the package in the repository."""
    beside = Path(__file__).resolve().parent.parent
    return next((p / DEMOS for p in (Path.cwd(), beside) if (p / DEMOS).is_dir()), None)
