"""Functions made by transforming functions: `gradient(f)`, `derivative(f)` …"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Transformed:
    """`transform` of `f` with options: calling it calls `transform(f, *args, **options)`.

    Differentiated code may call it too; then `f` is what the lowering knows of the function.
    """

    def __init__(self, transform: Callable[..., Any], f: Any, options: dict[str, Any]):
        self.transform, self.f, self.options = transform, f, options
        self.__name__ = f"{transform.__name__} of {getattr(f, '__name__', type(f).__name__)}"

    def __call__(self, *args: Any) -> Any:
        return self.transform(self.f, *args, **self.options)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"
