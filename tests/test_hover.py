"""What is said of a place: adjoint of a line, pullback of a function, rule of a call."""

import pytest

from zyg_interactive.ide.check import Checker
from zyg_interactive.ide.document import Document
from zyg_interactive.ide.hover import Hover, Hovers, hover

TEXT = '''import numpy as np
from zyg_interactive import gradient

SCALE = 2.0


def act(x):
    return np.exp(-x)


def layer(w, x, b, v):
    """A layer."""
    z = w @ x + b
    h = np.tanh(z)
    k = np.argmax(h)
    total = np.sum(h * h)
    if k > 3:
        total = act(total)
    for i in range(3):
        total = total + SCALE * v[i]
    return total


def refused(x):
    y = x * 2
    return np.unique_values(y)


g = gradient(lambda a, é: np.sin(a) * é, 1.0, 2.0)
'''
LINES = TEXT.split("\n")


def at(part: str, within: str = "", text: str = TEXT) -> Hover | None:
    """The hover on the first place of `part`, in the first line with `within`."""
    lines = text.split("\n")
    line = next(k for k, s in enumerate(lines) if part in s and within in s)
    return hover(Document("f.py", text), line + 1, len(lines[line].split(part)[0].encode()))


def code(found: Hover | None) -> str:
    assert found is not None
    return found.text.split("```python\n")[1].split("\n```")[0]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("h = np.tanh", "z_bar = h_bar * (1.0 - h ** 2)"),
        ("z = w", "b_bar = unbroadcast(z_bar, b)\nw_bar = z_bar @ x.T\nx_bar = w.T @ z_bar"),
        ("return np.exp", "x_bar = -(y_bar * t)"),
    ],
)
def test_the_adjoint_of_a_line(part: str, expected: str) -> None:
    assert code(at(part)) == expected


def test_a_line_says_what_is_taken_for_granted() -> None:
    found = at("z = w")
    assert found is not None
    assert "`unbroadcast(g, b)` sums `g` over the axes along which `b` was broadcast." in found.text
    assert "Taken for matrices: `w`, `x`." in found.text
    assert LINES[found.span.line - 1][found.span.col : found.span.end_col] == "z = w @ x + b"


def test_a_call_of_the_users_is_its_pullback() -> None:
    assert "act_pullback(total, " in code(at("total = act"))


def test_a_loop_is_shown_whole() -> None:
    assert "for " in code(at("for i"))
    assert "v_bar[i" in code(at("total = total"))


def test_the_name_of_a_function_shows_its_pullback() -> None:
    for found in (at("layer(", "def"), at("act(total)")):
        assert found is not None
        assert found.text.startswith("**pullback of `")
    assert "def layer_pullback(w, x, b, v" in code(at("layer(", "def"))
    assert "def act_pullback(x):" in code(at("act(total)"))


def test_a_lambda_with_letters_of_two_bytes() -> None:
    assert "np.cos(a)" in code(at("np.sin"))
    assert "def pullback(y_bar):" in code(at("lambda"))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("np.tanh", "`np.tanh` has a gradient rule."),
        ("np.argmax", "constant by nature"),
        ("np.unique_values", "has no gradient rule (ZYG301)"),
    ],
)
def test_the_rule_of_a_call(part: str, expected: str) -> None:
    found = at(part)
    assert found is not None
    assert expected in found.text


def test_a_line_without_derivative_says_so() -> None:
    found = at("k = np.argmax")
    assert found is not None
    assert "No derivative flows through this line." in found.text


def test_a_refused_function_says_why() -> None:
    found = at("refused")
    assert found is not None
    assert "cannot be differentiated" in found.text
    assert "ZYG301: no gradient rule for `np.unique_values` (line 26)" in found.text


@pytest.mark.parametrize("part", ["import numpy", "SCALE = ", '"""A layer'])
def test_nothing_to_say(part: str) -> None:
    assert at(part) is None


def test_a_text_without_the_package_is_left_alone() -> None:
    assert at("h = np.tanh", text=TEXT.replace("from zyg_interactive", "from other")) is None


def test_every_place_has_an_answer_or_none() -> None:
    for text in (TEXT, TEXT.replace("h = np.tanh(z)", "h = np.tanh(z"), TEXT[:300], ""):
        hovers = Hovers(Checker(Document("f.py", text)))
        for line in range(text.count("\n") + 3):
            for col in range(0, 60, 3):
                found = hovers.at(line, col)
                assert found is None or found.text


def test_an_edit_is_followed() -> None:
    document = Document("f.py", TEXT)
    hovers = Hovers(Checker(document))
    line = LINES.index("    h = np.tanh(z)") + 1
    assert "1.0 - h ** 2" in code(hovers.at(line, 5))
    document.update("\n" + TEXT.replace("np.tanh(z)", "np.sin(z)"))
    assert "h_bar * np.cos(z)" in code(hovers.at(line + 1, 5))


def test_code_cannot_leave_its_fence() -> None:
    text = "from zyg_interactive import gradient\n"
    text += "def f(x):\n    y = {'```': x}\n    return y['```'] * 2\n"
    found = hover(Document("f.py", text), 2, 4)
    assert found is not None
    assert found.text.count("````") == 2
