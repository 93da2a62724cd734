# What both engines have: the same names with the same arguments.
#
# Arrays are NumPy's or DeviceArray, checked by _border, float32 or float64 unless said otherwise;
# outputs are contiguous, allocated by the caller and filled. Items are representations (n, d), an
# empty list b stands for a; batches (..., n, d) have equal batch axes, whose strides may be 0.
# Scores are float64, (len(a), len(b)) of items and (...) of batches. Counts are int64 and zeros
# before: (kinds, items) or (kinds, 2, ...), constant units first. What fills them returns False
# where it knows that all are 0. Orders are NumPy's int32 (k, n). `run` is the number of threads, or
# where a call runs on a device.

from typing import Any

AnyArray = Any
AnyRun = Any

# linalg: batches of matrices
def svdvals(a: AnyArray, s: AnyArray, run: AnyRun) -> None: ...
def nuclear_norm(a: AnyArray, out: AnyArray, run: AnyRun) -> None: ...
def polar(a: AnyArray, u: AnyArray, p: AnyArray, run: AnyRun) -> None: ...
def orthogonal_procrustes(
    a: AnyArray, b: AnyArray, r: AnyArray, scale: AnyArray, run: AnyRun
) -> None: ...

# procrustes: center, scale, alpha, score
ShapeOptions = tuple[bool, bool, float, str]

def procrustes_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: ShapeOptions,
    run: AnyRun,
) -> None: ...
def procrustes_pairs(
    x: AnyArray, y: AnyArray, scores: AnyArray, counts: AnyArray, options: ShapeOptions, run: AnyRun
) -> bool | None: ...
def procrustes_gradients(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    grad_x: AnyArray | None,
    grad_y: AnyArray | None,
    options: ShapeOptions,
    run: AnyRun,
) -> bool | None: ...

# assignment: a failure of an item is raised on CPUs, and found by finish() on devices
def linear_sum_assignment(
    cost: AnyArray, maximize: bool, row_ind: AnyArray, col_ind: AnyArray, run: AnyRun
) -> None: ...
def assignment(
    cost: AnyArray,
    maximize: bool,
    row_start: AnyArray | None,
    column_start: AnyArray | None,
    row_ind: AnyArray,
    col_ind: AnyArray,
    total: AnyArray,
    row_dual: AnyArray,
    column_dual: AnyArray,
    gap: AnyArray,
    run: AnyRun,
) -> None: ...
def match_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    matching: str,
    run: AnyRun,
) -> None: ...
def match_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    assignment: AnyArray | None,
    matching: str,
    run: AnyRun,
) -> bool | None: ...
def unit_correlations(
    x: AnyArray, y: AnyArray, out: AnyArray, counts: AnyArray, run: AnyRun
) -> bool | None: ...

# transport: devices take no masses, nor a part of all
SoftMatchOptions = tuple[bool, float]  # distance, mass

def transport(
    cost: AnyArray,
    supply: AnyArray | None,
    demand: AnyArray | None,
    plan: AnyArray,
    row_dual: AnyArray,
    column_dual: AnyArray,
    gap: AnyArray,
    run: AnyRun,
) -> None: ...
def soft_match_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: SoftMatchOptions,
    run: AnyRun,
) -> None: ...
def soft_match_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    plan: AnyArray | None,
    options: SoftMatchOptions,
    run: AnyRun,
) -> bool | None: ...

# cca: regularization, variance, weighted; dropped directions are counted second
CanonicalOptions = tuple[float, float, bool]

def cca_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: CanonicalOptions,
    run: AnyRun,
) -> None: ...
def cca_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    options: CanonicalOptions,
    run: AnyRun,
) -> bool | None: ...
def cca_reordered(
    x: AnyArray,
    y: AnyArray,
    orders: AnyArray,
    scores: AnyArray,
    options: CanonicalOptions,
    run: AnyRun,
) -> None: ...
def canonical_correlations(
    x: AnyArray,
    y: AnyArray,
    correlations: AnyArray,
    counts: AnyArray,
    options: CanonicalOptions,
    run: AnyRun,
) -> bool | None: ...

# moments: shift (columns) and unit (items) of items side by side, ratio of units that grow; a frame
# is shift, unit, ratio, the first item and the first column that are meant; rows are the first of
# the samples that are added, and the step to the next
Frame = tuple[AnyArray, AnyArray, AnyArray, int, int]

def begin_frame(items: list[AnyArray], shift: AnyArray, unit: AnyArray, run: AnyRun) -> None: ...
def grow_units(
    items: list[AnyArray], shift: AnyArray, unit: AnyArray, ratio: AnyArray, run: AnyRun
) -> None: ...
def divide_by_units(
    items: list[AnyArray], unit: AnyArray, outs: list[AnyArray], run: AnyRun
) -> None: ...
def add_moments(
    a: list[AnyArray],
    b: list[AnyArray],
    rows: tuple[int, int],
    frames: list[Frame],
    total: AnyArray,
    run: AnyRun,
) -> None: ...

# rsa: dissimilarity, comparison; flat RDMs and samples without direction are counted too
RSAOptions = tuple[str, str]

def rdm(
    x: AnyArray,
    out: AnyArray,
    without: AnyArray,
    dissimilarity: str,
    in_units: bool,
    run: AnyRun,
) -> None:
    """out (..., n (n - 1) / 2) of the dtype of x; `without` (...): samples without direction.
    `in_units`: in units of a power of two in which the largest of each RDM is near 1."""

def rsa_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: RSAOptions,
    run: AnyRun,
) -> None: ...
def rsa_pairs(
    x: AnyArray, y: AnyArray, scores: AnyArray, counts: AnyArray, options: RSAOptions, run: AnyRun
) -> bool | None: ...
def rsa_gradients(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    grad_x: AnyArray | None,
    grad_y: AnyArray | None,
    options: RSAOptions,
    run: AnyRun,
) -> bool | None: ...
def rsa_reordered(
    x: AnyArray, y: AnyArray, orders: AnyArray, scores: AnyArray, options: RSAOptions, run: AnyRun
) -> None: ...
def compare_rdms(
    p: AnyArray, q: AnyArray, scores: AnyArray, flat: AnyArray, comparison: str, run: AnyRun
) -> None:
    """Condensed RDMs (k, m) or (m,); `flat` (len(p) + len(q)): which have entries all equal."""

# kernels: kernel, estimator, normalised, bandwidth, whether in medians, degree, coef0, gamma (0
# stands for 1 / units). Status codes are counted second, see kernels/kernels.h.
KernelOptions = tuple[str, str, bool, float, bool, int, float, float]

def kernel_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: KernelOptions,
    run: AnyRun,
) -> None: ...
def kernel_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    options: KernelOptions,
    run: AnyRun,
) -> bool | None: ...
def kernel_gradients(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    grad_x: AnyArray | None,
    grad_y: AnyArray | None,
    options: KernelOptions,
    run: AnyRun,
) -> bool | None: ...
def kernel_reordered(
    x: AnyArray,
    y: AnyArray,
    orders: AnyArray,
    scores: AnyArray,
    options: KernelOptions,
    run: AnyRun,
) -> bool: ...  # False: of too many samples, nothing is filled

# neighbours: score, k, euclidean, center; what is wrong with an item is counted second
NeighbourOptions = tuple[str, int, bool, bool]

def neighbour_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    options: NeighbourOptions,
    run: AnyRun,
) -> None: ...
def neighbour_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    options: NeighbourOptions,
    run: AnyRun,
) -> None: ...

# regression: order of the rows by folds (int32), number of folds, penalties, whether these are in
# units of the mean of the nonzero eigenvalues, intercept. Choices count penalties over all pairs.
RidgeOptions = tuple[AnyArray, int, list[float], bool, bool]

def ridge_scores(
    a: list[AnyArray],
    b: list[AnyArray],
    scores: AnyArray,
    counts: AnyArray,
    choices: AnyArray,
    options: RidgeOptions,
    run: AnyRun,
) -> None: ...
def ridge_pairs(
    x: AnyArray,
    y: AnyArray,
    scores: AnyArray,
    counts: AnyArray,
    choices: AnyArray,
    correlation: AnyArray,
    alpha: AnyArray,
    mean_correlation: AnyArray,
    determination: AnyArray,
    options: RidgeOptions,
    run: AnyRun,
) -> None: ...
def ridge_errors(
    x: AnyArray,
    y: AnyArray,
    errors: AnyArray,
    alphas: AnyArray,
    counts: AnyArray,
    options: RidgeOptions,
    run: AnyRun,
) -> None: ...

# order of the rows by folds (int32), number of folds, penalties, tolerance
LassoOptions = tuple[AnyArray, int, list[float], float]

def lasso_paths(
    x: AnyArray,
    y: AnyArray,
    score: AnyArray,
    alphas: AnyArray,
    correlation: AnyArray,
    loss: AnyArray,
    used: AnyArray,
    coefficients: AnyArray,
    objective: AnyArray,
    gap: AnyArray,
    counts: AnyArray,
    missed: AnyArray,
    options: LassoOptions,
    run: AnyRun,
) -> None: ...
