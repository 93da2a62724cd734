"""Types of arguments and results, for editors and type checkers.

Functions give back what they were given: NumPy arrays, tensors, anything that offers DLPack. What
has one number per item of a batch is a NumPy scalar for two matrices, which counts as an array
without axes here where arrays of unknown shape came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


ArrayT = TypeVar("ArrayT")
"""Arrays of the library that was given."""
ArrayT_co = TypeVar("ArrayT_co", covariant=True)


class AnyArray(Protocol[ArrayT_co]):
    """An array of any library: NumPy's, a torch tensor, a CuPy or JAX array.

    Its parameter is the library's type of arrays of any shape, which is what ``squeeze`` returns.
    """

    def squeeze(self) -> ArrayT_co: ...

    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __dlpack_device__(self) -> tuple[Any, Any]: ...


AnyItems: TypeAlias = "Mapping[str, Any] | Sequence[Any] | AnyArray[Any]"
"""Representations with labels, without, or stacked ``(m, n, d)``."""
if TYPE_CHECKING:
    Float = TypeVar("Float", bound=np.floating[Any])
Options = ParamSpec("Options")


class ScoreFunction(Protocol[Options]):
    """Scores of two representations: a NumPy scalar for two matrices, arrays for batches."""

    @overload
    def __call__(
        self,
        x: np.ndarray[tuple[int, int], np.dtype[Float]],
        y: np.ndarray[tuple[int, int], np.dtype[Float]],
        *args: Options.args,
        **kwargs: Options.kwargs,
    ) -> Float: ...

    @overload
    def __call__(
        self,
        x: AnyArray[ArrayT],
        y: AnyArray[ArrayT],
        *args: Options.args,
        **kwargs: Options.kwargs,
    ) -> ArrayT: ...

    @overload
    def __call__(
        self, x: ArrayLike, y: ArrayLike, *args: Options.args, **kwargs: Options.kwargs
    ) -> Any: ...


def score_function(
    function: Callable[Concatenate[Any, Any, Options], Any],
) -> ScoreFunction[Options]:
    """The function itself, with types that follow its arrays."""
    return cast("ScoreFunction[Options]", function)
