"""Faults in linalg/cuda/jacobi_shared.cu for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("columns overlap", "(rows + 7) / 8 | 1", "rows / 8 | 1"),
    ("lengths of one round", ".template add<T>(size_t(2 * n))", ".template add<T>(size_t(n))"),
    ("products of half the lanes", "int step = lanes / 2;", "int step = lanes / 4;"),
    ("lengths of columns that are not there", "j < n && i < m; i", "i < m; i"),
    ("every lane writes a length", "if (j < n && lane() == 0) lengths", "if (j < n) lengths"),
    ("lengths one too far", "if (j < n && lane() == 0) lengths", "if (lane() == 0) lengths"),
    ("rounds share their lengths", "lengths + (round + 1) % 2 * n", "lengths + round % 2 * n"),
    ("the pausing column is turned", "k >= players / 2 || pair.q >= n;", "k >= players / 2;"),
    ("idle lanes take a pair", "k >= players / 2 || pair.q >= n;", "pair.q >= n;"),
    ("idle lanes go on", "if (k >= players / 2) continue;", ""),
    ("right vectors are not turned", "i < rows; i += lanes", "i < m; i += lanes"),
    (
        "lengths change the wrong way",
        "alpha = fmax(alpha - rotation.tangent * gamma, T(0));\n"
        "        beta = fmax(beta + rotation.tangent * gamma, T(0));",
        "alpha = fmax(alpha + rotation.tangent * gamma, T(0));\n"
        "        beta = fmax(beta - rotation.tangent * gamma, T(0));",
    ),
    ("nobody turned", "turned = 1;", "turned = 0;"),
    (
        "a pausing column loses its length",
        "after[pair.p] = alpha;",
        "if (!pauses) after[pair.p] = alpha;",
    ),
    ("the layout of the transpose", "transposed ? k / m : k % n,", "transposed ? k % n : k / m,"),
    (
        "columns one too far",
        "for (int k = thread; k < n * m; k += threads) {\n    const int j",
        "for (int k = thread; k <= n * m; k += threads) {\n    const int j",
    ),
    ("no right vectors", "k / n == k % n ? T(1) : T(0)", "T(0)"),
    (
        "what is small counts as rounding errors",
        "rounding<T>() * rounding<T>() * total",
        "rounding<T>() * total",
    ),
    ("failures are not told", "atomicMin(svd.failure", "atomicMax(svd.failure"),
    ("values stay scaled", "sqrt(lengths[j]) * scale", "sqrt(lengths[j])"),
    ("vectors without length", "square > negligible ? x / sqrt(square) : T(0)", "x / sqrt(square)"),
    (
        "nothing is completed",
        "vectors ? complete_columns(svd, stream) : error",
        "false ? error : error",
    ),
    ("the first matrix for all", "a + item * n * m", "a"),
)
