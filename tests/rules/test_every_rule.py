"""Every rule of a function of NumPy, SciPy or `math` is checked: here, in the other files, or as a
program.
"""

import cmath
import math
from pathlib import Path

import numpy as np
import pytest
from helpers import define

from zyg_interactive import derivative, gradient

from . import table
from .checks import check_rule, scipy_before, x

POSITIVE = {"low": 0.4, "high": 1.6}
INSIDE = {"low": -0.8, "high": 0.8}

# Functions of a Python number: where they are checked.
OF_NUMBERS = {
    0.6: "acos asin asinh atan atanh cbrt cos cosh degrees erf erfc exp exp2 expm1 fabs log log10 "
    "log1p log2 radians sin sinh sqrt tan tanh",
    1.7: "acosh",
}
MATH = [(n, at) for at, names in OF_NUMBERS.items() for n in names.split() if hasattr(math, n)]
# Elementwise functions of NumPy, of one and of two arrays: what their arguments are between.
OF_ONE = {
    "arccos": INSIDE,
    "arcsin": INSIDE,
    "arctanh": INSIDE,
    **dict.fromkeys("cbrt fabs".split(), POSITIVE),
    **dict.fromkeys("deg2rad degrees negative positive rad2deg radians".split(), {}),
    **dict.fromkeys("asanyarray asarray_chkfinite asfortranarray".split(), {}),
}
OF_TWO = ["float_power", "power", "logaddexp", "multiply", "subtract", "nextafter"]
# Rules of functions that take functions, objects that SciPy made, or draws: the tests that check
# them as programs.
PROGRAMS = {
    "test_averages.py": "math.sumprod",
    "tests/test_numpy.py": "numpy.fromiter",
    "test_scipy_integrate.py": "scipy.integrate._quadpack_py.quad "
    "scipy.integrate._quadrature.cumulative_simpson scipy.integrate._quadrature.fixed_quad",
    "test_scipy_further.py": "scipy.special.itairy",
    "test_polynomials.py": "numpy.polynomial._polybase.ABCPolyBase.__call__ "
    "numpy.polynomial._polybase.ABCPolyBase.deriv numpy.polynomial.chebyshev.Chebyshev "
    "numpy.polynomial.hermite.Hermite numpy.polynomial.hermite_e.HermiteE "
    "numpy.polynomial.laguerre.Laguerre numpy.polynomial.legendre.Legendre "
    "numpy.polynomial.polynomial.Polynomial",
    "test_scipy_images.py": "scipy.ndimage._morphology.distance_transform_bf "
    "scipy.ndimage._morphology.distance_transform_edt",
    "test_scipy_ode.py": "scipy.integrate._ivp.ivp.solve_ivp scipy.integrate._odepack_py.odeint",
    "test_scipy_fits.py": "scipy.optimize._lsq.lsq_linear.lsq_linear "
    "scipy.optimize._minpack_py.curve_fit scipy.optimize._nnls.nnls",
    "test_scipy_interpolants.py": "scipy.interpolate._bsplines.BSpline "
    "scipy.interpolate._fitpack2.InterpolatedUnivariateSpline "
    "scipy.interpolate._fitpack2.UnivariateSpline "
    "scipy.interpolate._polyint.BarycentricInterpolator "
    "scipy.interpolate._polyint.BarycentricInterpolator.__call__ "
    "scipy.interpolate._polyint.KroghInterpolator "
    "scipy.interpolate._rgi.RegularGridInterpolator",
    "test_scipy_interpolate.py": "scipy.interpolate._bsplines.make_interp_spline "
    "scipy.interpolate._cubic.Akima1DInterpolator scipy.interpolate._cubic.CubicSpline "
    "scipy.interpolate._cubic.PchipInterpolator scipy.interpolate._interpolate.interp1d "
    "scipy.interpolate._polyint._Interpolator1D.__call__",
    "test_scipy_linalg.py": "scipy.linalg._basic.lstsq scipy.linalg._decomp_cholesky.cho_solve "
    "scipy.linalg._decomp_lu.lu_solve",
    "test_scipy_minima.py": "scipy.optimize._constraints.Bounds "
    "scipy.optimize._lsq.least_squares.least_squares scipy.optimize._minimize.minimize "
    "scipy.optimize._minimize.minimize_scalar",
    "test_scipy_optimize.py": "scipy.optimize._minpack_py.fixed_point "
    "scipy.optimize._minpack_py.fsolve scipy.optimize._root.root "
    "scipy.optimize._root_scalar.root_scalar scipy.optimize._zeros_py.bisect "
    "scipy.optimize._zeros_py.brenth scipy.optimize._zeros_py.brentq "
    "scipy.optimize._zeros_py.newton scipy.optimize._zeros_py.ridder "
    "scipy.optimize._zeros_py.toms748",
    "test_scipy_samples.py": "scipy.stats._stats_py.pearsonr",
    "test_scipy_sparse.py": "scipy.sparse.linalg._dsolve.linsolve.splu "
    "scipy.sparse.linalg._dsolve.linsolve.spsolve",
    "test_scipy_signal.py": "scipy.signal.windows._windows.chebwin "
    "scipy.signal.windows._windows.exponential scipy.signal.windows._windows.gaussian "
    "scipy.signal.windows._windows.general_cosine scipy.signal.windows._windows.general_gaussian "
    "scipy.signal.windows._windows.general_hamming scipy.signal.windows._windows.get_window "
    "scipy.signal.windows._windows.kaiser scipy.signal.windows._windows.kaiser_bessel_derived "
    "scipy.signal.windows._windows.taylor scipy.signal.windows._windows.tukey",
}
NAMED = {name for names in PROGRAMS.values() for name in names.split()}
# One rule for all of them: draws, tested below, distributions, tested in `test_scipy_stats.py`, and
# what the classes of sparse matrices have, as programs in `test_scipy_sparse.py`.
FAMILIES = (
    "numpy.random.",
    "scipy.sparse._",
    *(f"scipy.stats.{m}." for m in ("_continuous_distns", "_discrete_distns", "_levy_stable")),
)


@pytest.mark.skipif(scipy_before(1, 17), reason="its modules, and NumPy's, have other names")
def test_every_rule_is_checked():
    checked = set().union(*table.table().values())
    known = checked | NAMED
    missing = [n for n in table.rules() if n not in known and not n.startswith(FAMILIES)]
    assert not missing, "check them with check_rule, and run the file with --update-golden"


@pytest.mark.parametrize("file", PROGRAMS)
def test_programs_are_there(file):
    here = Path(__file__).parent
    text = (here.parents[1] / file if "/" in file else here / file).read_text()
    for name in PROGRAMS[file].split():
        called = name.rpartition(".")[2]
        assert called in text or called.startswith("__"), name


@pytest.mark.skipif(scipy_before(1, 17), reason="its modules, and NumPy's, have other names")
def test_the_table_names_rules():
    pytest.importorskip("scipy")
    checked = set().union(*table.table().values())
    rules = table.rules()
    outside = {n for n in checked if n.split(".")[0] in table.OWNERS and n not in rules}
    assert not outside


TWO = "gumbel laplace logistic lognormal normal uniform"
DRAWS = dict.fromkeys(TWO.split(), (0.3, 1.7))
DRAWS |= dict.fromkeys("exponential pareto power rayleigh weibull".split(), (1.7,))


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("maker", [np.random.default_rng, np.random.RandomState])
def test_draws(maker, name):
    """The draw with the same seed, as its parameters move."""
    text = f"def f(rng, *at):\n    return np.sum(rng.{name}(*at, size=3) ** 2)\n"
    f, at = define(text), DRAWS[name]
    found = gradient(f, maker(3), *at)[1:]
    for i, bar in enumerate(found):
        ends = []
        for h in (1e-6, -1e-6):
            moved = [a + h * (i == k) for k, a in enumerate(at)]
            ends.append(f(maker(3), *moved))
        assert bar == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize(("name", "at"), MATH)
def test_math(name, at):
    check_rule(getattr(math, name), at)


def test_math_of_two():
    check_rule(math.atan2, 0.6, -0.7)
    check_rule(math.pow, 0.6, 1.7)
    check_rule(math.fmod, 2.3, 0.9)


def test_the_remainder_of_a_huge_quotient():
    f = define("def f(a, b):\n    return math.fmod(a, b)\n")
    assert gradient(f, 1e300, 1e-300)[0] == 1.0


@pytest.mark.parametrize("fn", [cmath.cos, cmath.exp, cmath.sin, cmath.sqrt])
def test_cmath(fn):
    check_rule(fn, 0.6 + 0.4j)


@pytest.mark.parametrize("name", OF_ONE)
def test_of_one(name):
    check_rule(getattr(np, name), x(3, 2, **OF_ONE[name]))


@pytest.mark.parametrize("name", OF_TWO)
def test_of_two(name):
    single = name != "float_power"
    check_rule(getattr(np, name), x(3, 1, **POSITIVE), x(4, low=0.5), single=single)


def test_remainders():
    for fn in (np.fmod, np.remainder):
        check_rule(fn, x(3, 1, low=2.1, high=2.9), x(3, low=0.91, high=0.99))


def test_extremes():
    for fn in (np.amax, np.amin):
        check_rule(fn, x(3, 4), axis=[None, 0, (0, 1)], keepdims=[False, True])
    for fn in (np.fmax.reduce, np.fmin.reduce):
        check_rule(fn, x(3, 4), types=False)
    for fn in (np.fmax.accumulate, np.fmin.accumulate):
        check_rule(fn, x(3, 4))


def test_the_same_values():
    check_rule(np.require, x(3, 2))
    check_rule(np.astype, x(3, 2), float, single=False)
    check_rule(np.dsplit, x(2, 3, 4), 2, types=False)
    check_rule(np.linalg.diagonal, x(3, 4))
    check_rule(np.linalg.trace, x(3, 3))
    check_rule(np.linalg.matrix_transpose, x(2, 3, 4))


def test_histogram():
    edges = np.array([-2.0, 0.0, 2.0])
    check_rule(np.histogram, np.array([-1.0, 0.5, 1.5]), edges, weights=x(3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_stacked_rows():
    if hasattr(np, "row_stack"):
        check_rule(np.row_stack, [x(3), x(3)])


def test_numbers_of_numpy():
    """Their precision is too low for differences: the derivative of each is known."""
    for name in ("longdouble", "float32", "float16", "clongdouble", "complex64"):
        fn = getattr(np, name)
        text = f"def f(x):\n    return 3.0 * np.{name}(x).real\n"
        assert derivative(define(text), 0.5) == 3.0
        table.note(fn)
