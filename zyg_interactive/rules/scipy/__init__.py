"""Rules of SciPy's functions: a file for each of its sub-packages, read when one of that
sub-package's functions is first met (`rules.registry.arrived`). Nothing here is imported by the
package itself.
"""
