"""`%%gradient` and `%gradient`."""

from __future__ import annotations

import argparse
import ast
import shlex
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import publish_display_data

from ..api import trace
from ..diagnostics import Refused
from ..errors import stripped
from ..ide import schema
from ..ide.graph import document
from ..ide.static import to_html, to_text
from ..recording import Recording
from ..source import Source
from .cell import Options, Outcome, run_cell

MIME = "application/vnd.zyg.graph.v1+json"
VIEWS = ("source", "forward", "pullback", "ir", "code")

_parser = argparse.ArgumentParser(prog="%%gradient", add_help=False, exit_on_error=False)
_parser.add_argument(
    "inputs",
    nargs="*",
    help="variables to differentiate in; default: float variables the cell reads",
)
_parser.add_argument(
    "--of", metavar="NAME", help="the result; default: the last expression or assignment"
)
_parser.add_argument(
    "--params",
    nargs="?",
    const="",
    metavar="NAMES",
    help="arrays reached through functions as well",
)
_parser.add_argument("--view", choices=VIEWS, default="source", help="what is shown first")
_parser.add_argument("--no-graph", action="store_true", help="do not draw the graphs")


@magics_class
class GradientMagics(Magics):  # type: ignore[misc]
    """The magics, for one shell."""

    shell: InteractiveShell

    @line_cell_magic
    def gradient(self, line: str, cell: str | None = None) -> None:
        """Differentiate a cell, or a call.

            %%gradient [x, y] [--of loss] [--params [W,b]] [--view source|forward|pullback|ir|code] [--no-graph]
            %gradient f(x0)

        The cell runs once, as it would without the magic. The gradients are left in `gradients`, a dictionary by name,
        and as `x_bar`, `y_bar` …; with `--params`, `gradients_of_params` is indexed by the arrays.
        """
        if cell is None:
            self._call(line)
        else:
            self._cell(_options(line), cell)

    # ---- a cell

    def _cell(self, args: argparse.Namespace, cell: str) -> None:
        text = "\n" + self.shell.transform_cell(cell)  # the magic's own line counts
        name = self.shell.compile.cache(
            text, self.shell.execution_count, raw_code="%%gradient\n" + cell
        )
        try:
            tree = ast.parse(text, name)
        except SyntaxError as error:
            raise self._shown(error, None) from None
        names = [n for part in args.inputs for n in part.split(",") if n]
        params = None if args.params is None else [n for n in args.params.split(",") if n]
        options = Options(names, args.of, params)
        namespace = self.shell.user_ns
        try:
            outcome = run_cell(
                Source(name, text, tree), namespace, options, lambda body: self._execute(body, name)
            )
        except Exception as error:
            raise self._shown(error, error.__traceback__) from None
        self._leave(outcome, namespace)
        shown: schema.Source = {"file": name, "firstLine": 2, "text": cell}
        self._show(outcome, shown, args)

    def _execute(self, body: list[ast.stmt], name: str) -> None:
        """Run statements as the shell runs them."""
        if body:
            code = compile(ast.Module(body, []), name, "exec", self.shell.compile.flags, True)
            exec(code, self.shell.user_global_ns, self.shell.user_ns)

    def _leave(self, outcome: Outcome, namespace: dict[str, Any]) -> None:
        if outcome.recording is None:
            return
        namespace["gradients"] = outcome.gradients
        namespace.update({f"{n}_bar": g for n, g in outcome.gradients.items()})
        if outcome.params is not None:
            namespace["gradients_of_params"] = outcome.params

    def _show(self, outcome: Outcome, source: schema.Source, args: argparse.Namespace) -> None:
        if outcome.recording is None:
            for d in outcome.diagnostics:
                print(f"%%gradient: the cell ran, but was not differentiated\n{d}")
            return
        made = document(
            outcome.recording, cell=self._cell_id(), source=source, draw=not args.no_graph
        )
        self._publish(made, args.view)

    def _publish(self, made: schema.Document, view: str) -> None:
        bundle = {
            MIME: {**made, "view": view},
            "text/html": to_html(made),
            "text/plain": to_text(made),
        }
        publish_display_data(bundle)

    def _cell_id(self) -> str | None:
        """The id of the notebook cell that is running, where the front end told."""
        parent = self.shell.get_parent() if hasattr(self.shell, "get_parent") else {}
        found = (parent or {}).get("metadata", {}).get("cellId")
        return found if isinstance(found, str) else None

    def _shown(self, error: BaseException, tb: Any) -> BaseException:
        """The exception with a traceback of the user's frames alone, as the shell would show a plain cell's."""
        error.__traceback__ = stripped(tb)
        if not hasattr(error, "_render_traceback_"):
            kind = type(error)
            if isinstance(error, SyntaxError):
                lines = self.shell.SyntaxTB.structured_traceback(kind, error, [])
            else:
                lines = self.shell.InteractiveTB.structured_traceback(
                    kind, error, error.__traceback__, tb_offset=0
                )
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
        return error

    # ---- a call

    def _call(self, line: str) -> None:
        try:
            call = ast.parse(line.strip(), "<%gradient>", "eval").body
        except SyntaxError:
            call = None
        if (
            not isinstance(call, ast.Call)
            or call.keywords
            or any(isinstance(a, ast.Starred) for a in call.args)
        ):
            raise UsageError("%gradient takes a call with positional arguments: %gradient f(x0)")
        namespace = self.shell.user_ns
        f, *args = (
            eval(compile(ast.Expression(e), "<%gradient>", "eval"), namespace)
            for e in (call.func, *call.args)
        )
        try:
            recording: Recording = trace(f, *args)
        except Refused:
            raise
        except Exception as error:
            raise self._shown(error, error.__traceback__) from None
        gradients = {name: g for name, _, g in recording.inputs}
        namespace["gradients"] = gradients
        self._publish(document(recording, title=ast.unparse(call)), "source")


def _options(line: str) -> argparse.Namespace:
    try:
        args = _parser.parse_args(shlex.split(line.replace(", ", ",")))
    except (argparse.ArgumentError, SystemExit, ValueError) as error:
        raise UsageError(f"%%gradient: {error}; see %%gradient?") from None
    return args


def register(shell: InteractiveShell) -> None:
    """Give a shell the magics."""
    shell.register_magics(GradientMagics)
