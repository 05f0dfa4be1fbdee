"""The command `zyg`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from zyg_interactive import cli

HEAD = "import numpy as np\nfrom zyg_interactive import gradient\n"
GOOD = HEAD + "def f(x):\n    return np.sin(x)\ngradient(f, 1.0)\n"
BAD = HEAD + "def f(x):\n    return np.unique_values(x)\ngradient(f, 1.0)\n"
SPARE = HEAD + "def f(x):\n    return np.unique_values(x)\n"

Output = pytest.CaptureFixture[str]


def written(folder: Path, text: str, name: str = "f.py") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_check_of_a_good_file(tmp_path: Path, capsys: Output) -> None:
    assert cli.main(["check", written(tmp_path, GOOD)]) == 0
    assert capsys.readouterr().out == ""


def test_check_prints_the_line_with_carets(tmp_path: Path, capsys: Output) -> None:
    file = written(tmp_path, BAD)
    assert cli.main(["check", written(tmp_path, GOOD, "g.py"), file]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("ZYG301: no gradient rule for `np.unique_values`\n")
    assert f'File "{file}", line 4' in shown.out
    assert "    return np.unique_values(x)\n" + " " * 13 + "^" * 19 in shown.out
    assert "1 finding" in shown.err


def test_check_as_json(tmp_path: Path, capsys: Output) -> None:
    file = written(tmp_path, BAD)
    assert cli.main(["check", "--format", "json", file]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["code"] == "ZYG301"
    assert found["place"] == {"file": file, "line": 4, "col": 11, "end_line": 4, "end_col": 30}


def test_check_all(tmp_path: Path) -> None:
    file = written(tmp_path, SPARE)
    assert cli.main(["check", file]) == 0
    assert cli.main(["check", "--all", file]) == 1


def test_explain_prints_the_pullback(tmp_path: Path, capsys: Output) -> None:
    assert cli.main(["explain", written(tmp_path, GOOD) + ":f"]) == 0
    shown = capsys.readouterr().out
    assert "def f_pullback(x):" in shown
    assert "np.cos(x)" in shown


def test_explain_of_a_refused_function_says_why(tmp_path: Path, capsys: Output) -> None:
    assert cli.main(["explain", written(tmp_path, BAD) + ":f"]) == 1
    assert "ZYG301" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "nowhere.py"], "nowhere.py: No such file"),
        (["explain", "f.py"], "zyg explain FILE:FUNCTION"),
        (["explain", "nowhere.py:f"], "No such file"),
    ],
)
def test_slips_are_told_in_one_line(arguments: list[str], said: str, capsys: Output) -> None:
    assert cli.main(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_explain_of_an_unknown_function(tmp_path: Path, capsys: Output) -> None:
    assert cli.main(["explain", written(tmp_path, GOOD) + ":g"]) == 2
    assert "no function `g`" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["lsp", "lab"])
def test_what_is_not_installed_is_named(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert cli.main([command]) == 2
    assert "pip install" in capsys.readouterr().err


def test_lab_opens_the_demos_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(cli, "find_spec", lambda name: object())
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / cli.DEMOS).mkdir()
    assert cli.main(["lab", "--no-browser"]) == 0
    assert called[0][-2:] == ["--no-browser", str(tmp_path / cli.DEMOS)]


def test_lab_without_demos_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: object())
    monkeypatch.setattr(cli, "demos", lambda: None)
    assert cli.main(["lab"]) == 2
    assert cli.DEMOS in capsys.readouterr().err


def test_a_file_is_not_run(tmp_path: Path) -> None:
    trap = f"import pathlib\npathlib.Path(r'{tmp_path / 'ran'}').touch()\n"
    written(tmp_path, trap, "numpy.py")
    file = written(tmp_path, trap + BAD)
    start = "import sys; from zyg_interactive.cli import main; sys.exit(main(sys.argv[1:]))"
    root = str(Path(cli.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-P", "-c", start, "check", file],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "np.unique_values" in done.stdout
    assert not (tmp_path / "ran").exists()
