"""`%%gradient` and `%gradient`."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    no_var_expand,
    output_can_be_silenced,
)

from .. import diagnostics
from ..api import trace
from ..errors import stripped
from ..ide import schema
from ..ide.graph import document
from ..ide.static import to_html, to_text
from ..runtime import Unhandled
from ..source import Source
from .cell import Options, Outcome, run_cell

MIME = "application/vnd.zyg.graph.v1+json"
VIEWS: tuple[schema.View, ...] = ("source", "forward", "pullback", "ir", "code")
FIRST_LINE = 2  # of the user's text: the magic is line 1


class _Parser(argparse.ArgumentParser):
    """Parses the magic's line; a slip is told and ends nothing."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%gradient: {message}\n{self.format_usage()}".rstrip())


_parser = _Parser(prog="%%gradient", add_help=False)
_parser.add_argument("inputs", nargs="*", metavar="input")
_parser.add_argument("--of", metavar="NAME")
_parser.add_argument("--params", nargs="?", const="", metavar="NAMES")
_parser.add_argument("--view", choices=VIEWS, default="source")
_parser.add_argument("--no-graph", action="store_true")


class _CellSyntaxError(Exception):
    """A syntax error of the cell, to be shown as the shell shows one: without the frames that found
    it.
    """


_CellSyntaxError.__name__ = "SyntaxError"


@magics_class
class GradientMagics(Magics):
    """The magics, for one shell."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell):
        super().__init__(shell)
        self._left: dict[str, Any] = {}  # what the magics put into the namespace

    @no_var_expand
    @output_can_be_silenced
    @line_cell_magic
    def gradient(self, line: str, cell: str | None = None) -> Any:
        """Differentiate a cell, or a call.

            %%gradient [x, y] [--of loss] [--params [W,b]] [--view VIEW] [--no-graph]
            %gradient f(x0)

        x, y        variables to differentiate in; else all floating ones that the cell reads
        --of        the variable that is differentiated; else the last expression or assignment
        --params    arrays reached through functions and objects as well: those named, or all
        --view      what is shown first: source, forward, pullback, ir or code
        --no-graph  no pictures of the graphs

        The cell runs once, as it would without the magic. The gradients are left in `gradients`, a
        dictionary by name, and as `x_bar`, `y_bar` … where these names are free; with `--params`,
        `gradients_of_params` is indexed by the arrays.
        """
        if cell is None:
            return self._call(line)
        return self._cell(_options(line), cell)

    # ---- a cell

    def _cell(self, args: argparse.Namespace, cell: str) -> Any:
        shown = cell.rstrip("\n")
        try:
            text = "\n" * (1 + _blank_lines(cell)) + self._transformed(cell)
            name = self.shell.compile.cache(
                text, self.shell.execution_count, raw_code="%%gradient\n" + cell
            )
            tree = ast.parse(text, name)
            compile(tree, name, "exec", self.shell.compile.flags, True)
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        options = Options(_names(args.inputs), args.of, None)
        if args.params is not None:
            options.params = _names([args.params])
        namespace = self.shell.user_ns
        try:
            outcome = run_cell(
                Source(name, text, tree), namespace, options, lambda body: self._execute(body, name)
            )
        except (Exception, KeyboardInterrupt, Unhandled) as error:
            raise self._shown(error) from None
        self._leave(outcome, set(tree_names(tree)))
        self._show(outcome, {"file": name, "firstLine": FIRST_LINE, "text": shown}, args)
        if outcome.error is not None:
            raise self._shown(outcome.error) from None
        return outcome.value

    def _transformed(self, cell: str) -> str:
        """The cell as Python: `%magics` and `!commands` in it are calls."""
        transformed: str = self.shell.input_transformer_manager.transform_cell(cell)
        return transformed

    def _execute(self, body: list[ast.stmt], name: str) -> Any:
        """Run statements as the shell runs them; the value of the last, where that is an
        expression.
        """
        if not body:
            return None
        *most, last = body
        if not isinstance(last, ast.Expr):
            most.append(last)
        self._run(ast.Module(most, []), name, "exec")
        if isinstance(last, ast.Expr):
            return self._run(ast.Expression(last.value), name, "eval")
        return None

    def _run(self, tree: ast.Module | ast.Expression, name: str, mode: str) -> Any:
        code = compile(tree, name, mode, self.shell.compile.flags, True)
        return eval(code, self.shell.user_global_ns, self.shell.user_ns)

    def _leave(self, outcome: Outcome, own: set[str]) -> None:
        """Put the gradients into the namespace, where the user has no other use for the names."""
        if outcome.recording is None:
            return
        if "gradients" not in own:
            self._put("gradients", outcome.gradients)
        if outcome.params is not None and "gradients_of_params" not in own:
            self._put("gradients_of_params", outcome.params)
        namespace = self.shell.user_ns
        for n, g in outcome.gradients.items():
            bar = f"{n}_bar"
            ours = bar in self._left and namespace.get(bar) is self._left[bar]
            if bar not in own and (ours or bar not in namespace):
                self._put(bar, g)

    def _put(self, name: str, value: Any) -> None:
        self.shell.user_ns[name] = self._left[name] = value

    def _show(self, outcome: Outcome, source: schema.SourceText, args: argparse.Namespace) -> None:
        if outcome.recording is None:
            if outcome.diagnostics:
                print("%%gradient: the cell ran, but was not differentiated")
            for d in outcome.diagnostics:
                print(d)
            return
        notes: list[schema.Note] = [
            {"severity": "info", "code": "", "message": note, "line": None}
            for note in outcome.notes
        ]
        made = document(
            outcome.recording,
            cell=self._cell_id(),
            source=source,
            notes=notes,
            title=outcome.title,
            draw=not args.no_graph,
        )
        self._publish(made, args.view)

    def _publish(self, made: schema.Document, view: schema.View) -> None:
        made["view"] = view
        made["source"]["file"] = (
            _place(self.shell, made["source"]["file"]) or made["source"]["file"]
        )
        if made["result"] is not None and made["result"]["name"] == "result":
            made["result"]["name"] = ""  # it has none: the title says what it is
        bundle = {MIME: dict(made), "text/html": to_html(made), "text/plain": to_text(made)}
        self.shell.display_pub.publish(bundle)

    def _cell_id(self) -> str | None:
        """The id of the notebook cell that is running, where the front end told."""
        parent = self.shell.get_parent() if hasattr(self.shell, "get_parent") else {}
        found = (parent or {}).get("metadata", {}).get("cellId")
        return found if isinstance(found, str) else None

    # ---- what went wrong

    def _shown(self, error: BaseException) -> BaseException:
        """The exception with a traceback of the user's frames alone, as the shell would show a
        plain cell's.
        """
        seen: BaseException | None = error
        while seen is not None:
            seen.__traceback__ = stripped(seen.__traceback__)
            seen = seen.__cause__ or seen.__context__
        if isinstance(error, KeyboardInterrupt) or not hasattr(error, "_render_traceback_"):
            lines = self.shell.InteractiveTB.structured_traceback(
                type(error), error, error.__traceback__, tb_offset=0
            )
        else:
            return error
        return _rendered(error, lines)

    def _syntax_error(self, error: SyntaxError) -> BaseException:
        shown = _CellSyntaxError(str(error))
        lines = self.shell.SyntaxTB.structured_traceback(type(error), error, None)
        return _rendered(shown, lines)

    # ---- a call

    def _call(self, line: str) -> None:
        text = line.strip().rstrip("; ")
        name = self.shell.compile.cache(text, self.shell.execution_count, raw_code=text)
        try:
            call = ast.parse(text, name, "eval").body
        except SyntaxError:
            call = None
        if (
            not isinstance(call, ast.Call)
            or call.keywords
            or any(isinstance(a, ast.Starred) for a in call.args)
        ):
            raise UsageError("%gradient takes a call with positional arguments: %gradient f(x0)")
        namespace = self.shell.user_ns
        try:
            f, *args = (
                eval(compile(ast.Expression(e), name, "eval"), namespace)
                for e in (call.func, *call.args)
            )
            recording = trace(f, *args)
        except (Exception, KeyboardInterrupt, Unhandled) as error:
            raise self._shown(error) from None
        self._put("gradients", {name: g for name, _, g in recording.inputs})
        made = document(recording, cell=self._cell_id(), title=ast.unparse(call))
        self._publish(made, "source")


def tree_names(tree: ast.Module) -> Iterable[str]:
    """Names that a cell mentions: they are the user's own."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _place(shell: InteractiveShell, file: str) -> str | None:
    """What the shell calls a text, if it is a cell: "Cell In[3]"."""
    named = shell.compile.format_code_name(file)
    return " ".join(named) if named else None


def _blank_lines(cell: str) -> int:
    """How many lines at the beginning of a cell are blank: the shell drops them."""
    return len(list(takewhile(lambda line: not line.strip(), cell.split("\n"))))


def _rendered(error: BaseException, lines: list[str]) -> BaseException:
    """The exception, which IPython will show as these lines."""
    vars(error)["_render_traceback_"] = lambda: lines
    return error


def _names(parts: list[str]) -> list[str]:
    return [n for part in parts for n in part.split(",") if n]


def _options(line: str) -> argparse.Namespace:
    try:
        parts = shlex.split(re.sub(r"\s*,\s*", ",", line))
    except ValueError as error:
        raise UsageError(f"%%gradient: {error}") from None
    args = _parser.parse_args(parts)
    for n in _names(args.inputs):
        if not n.isidentifier():
            raise UsageError(f"%%gradient: `{n}` is not the name of a variable")
    return args


def register(shell: InteractiveShell) -> None:
    """Give a shell the magics, and diagnostics the names of its cells."""
    shell.register_magics(GradientMagics)

    def place(file: str) -> str:
        return _place(shell, file) or diagnostics.name_of_file(file)

    diagnostics.place_of = place
