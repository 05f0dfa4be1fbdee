"""Keystroke to findings, and hover, on a file of 1,000 lines: in the process, and through a client.

The file is full of functions that are differentiated and call each other; each edit is one key in
the body of one of them. Times are milliseconds.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from zyg_interactive.ide.check import Checker
from zyg_interactive.ide.document import Document
from zyg_interactive.ide.hover import Hovers

SERVER = "import sys; from zyg_interactive.cli import main; sys.exit(main(['lsp']))"
URI = "file:///bench.py"
HEAD = "import numpy as np\nfrom zyg_interactive import gradient\n\n\n"


def program(lines: int) -> str:
    """A module of about so many lines: a third of its functions are called by another one."""
    parts, k = [HEAD], 0
    while sum(p.count("\n") for p in parts) < lines - 3:
        callee = f"f{k - 1}(w, x, b)" if k % 3 == 1 else "1.0"
        parts.append(
            f"def f{k}(w, x, b):\n"
            f'    """Function {k}."""\n'
            "    z = w @ x + b\n"
            "    h = np.tanh(z)\n"
            "    if np.sum(h) > 0:\n"
            f"        h = h * {k}.0\n"
            "    s = 0.0\n"
            "    for i in range(3):\n"
            "        s = s + np.sum(h * x[i])\n"
            f"    return s + {callee}\n\n\n"
            f"g{k} = gradient(f{k}, 1.0, 2.0, 3.0)\n\n\n"
        )
        k += 1
    return "".join(parts)


def edits(text: str, count: int) -> list[str]:
    """The text after each of `count` keys, typed in the middle of the file."""
    lines = text.split("\n")
    middle = next(k for k in range(len(lines) // 2, len(lines)) if "np.tanh" in lines[k])
    typed = "    h = np.tanh(z) + np.sort_complex(z)"
    found = []
    for k in range(count):
        lines[middle] = typed[: 12 + k % (len(typed) - 11)] + (
            "  # " + str(k) if k % 7 == 0 else ""
        )
        found.append("\n".join(lines))
    return found


def in_process(text: str, count: int) -> dict[str, list[float]]:
    began = time.perf_counter()
    checker = Checker(Document("bench.py", text))
    checker.findings()
    first = time.perf_counter() - began
    gc.collect()
    gc.freeze()
    took, hovered = [], []
    hovers = Hovers(checker)
    line = text.split("\n").index("    h = np.tanh(z)", text.count("\n") // 2) + 1
    for edited in edits(text, count):
        began = time.perf_counter()
        checker.document.update(edited)
        checker.findings()
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        hovers.at(line + 15, 5)
        hovered.append(time.perf_counter() - began)
    gc.unfreeze()
    return {"open": [first], "keystroke": took, "hover": hovered}


class Client:
    """A client that only measures: JSON-RPC over pipes."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", SERVER]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, method: str, params: Any, id: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if id is None else {**message, "id": id}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait(self, method: str = "", version: int | None = None, id: int | None = None) -> None:
        """Read until the notification or answer is there that is waited for."""
        assert self.process.stdout is not None
        while True:
            length = 0
            while (header := self.process.stdout.readline().strip()) != b"":
                if header.lower().startswith(b"content-length"):
                    length = int(header.split(b":")[1])
            message = json.loads(self.process.stdout.read(length))
            if id is not None and message.get("id") == id and "method" not in message:
                return
            if method and message.get("method") == method:
                if message["params"].get("version") == version:
                    return


def through_a_client(text: str, count: int) -> dict[str, list[float]]:
    client = Client()
    client.send("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, id=1)
    client.wait(id=1)
    client.send("initialized", {})
    item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    published = "textDocument/publishDiagnostics"
    began = time.perf_counter()
    client.send("textDocument/didOpen", {"textDocument": item})
    client.wait(published, 1)
    first = time.perf_counter() - began
    took, hovered = [], []
    line = text.split("\n").index("    h = np.tanh(z)", text.count("\n") // 2)
    for version, edited in enumerate(edits(text, count), 2):
        began = time.perf_counter()
        document = {"uri": URI, "version": version}
        change = {"textDocument": document, "contentChanges": [{"text": edited}]}
        client.send("textDocument/didChange", change)
        client.wait(published, version)
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        place = {"textDocument": {"uri": URI}, "position": {"line": line + 15, "character": 5}}
        client.send("textDocument/hover", place, id=1000 + version)
        client.wait(id=1000 + version)
        hovered.append(time.perf_counter() - began)
    client.send("shutdown", None, id=2)
    client.wait(id=2)
    client.send("exit", None)
    client.process.wait(10)
    return {"open": [first], "keystroke": took, "hover": hovered}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=100)
    options = parser.parse_args(argv)
    text = program(options.lines)
    for title, measure in (("in the process", in_process), ("through a client", through_a_client)):
        print(f"{title}, {text.count(chr(10))} lines")
        for name, seconds in measure(text, options.edits).items():
            ordered = sorted(seconds)
            late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
            median = statistics.median(ordered)
            print(f"  {name:10} median {1e3 * median:7.2f} ms   95 % {1e3 * late:7.2f} ms")


if __name__ == "__main__":
    main()
