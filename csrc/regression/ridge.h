#pragma once

#include <cstdint>
#include <vector>

#include "core/counts.h"
#include "core/view.h"
#include "linalg/cross.h"

// Ridge regression of many targets on many sources, cross-validated without refits: everything is
// a function of moments. One eigendecomposition G = V'diag(w)V of the Gram matrix of each source
// and training set serves all targets and penalties: with b = V X'y the coefficients of penalty a
// are b / (w + a) in that basis, and errors on the fold that was left out need its moments alone.

namespace likewise {

// Fold f is rows [edges[f], edges[f + 1]); the rows of all other folds train its model.
struct Folds {
  std::vector<int64_t> edges;
  bool intercept = true;  // unpenalised; otherwise lines through the origin

  int64_t count() const { return int64_t(edges.size()) - 1; }
  int64_t size(int64_t fold) const { return edges[fold + 1] - edges[fold]; }
  int64_t rows() const { return edges.back(); }
};

// Sources of about unit Frobenius norm and targets, their rows in the order of the folds and, with
// an intercept, centred over all samples.
struct RidgeProblem {
  struct Pair {
    int64_t source, target;
  };
  std::vector<Item<double>> sources, targets;
  std::vector<std::vector<double>> penalties;  // of each source, at least 0; equally many
  std::vector<Pair> pairs;                     // that are wanted
  Folds folds;
};

// Arrays of one pair, folds x columns of the target.
struct Predictivity {
  double* correlation;  // Pearson's, on the fold that was left out; 0 where either side is constant
  double* determination;  // 1 - squared error / squares about the fold's mean; 0 where constant
  int32_t* choice;        // the penalty of the smallest generalised cross-validation on the rest
};

// Fills out[p] for every pair. Throws ConvergenceError naming sources and folds.
void ridge_predictivity(const RidgeProblem& problem, int threads,
                        const std::vector<Predictivity>& out);

// What the scores of one pair are made of, if samples were summed up as they came: one entry per
// fold. Sums are about any origin.
struct RidgeMoments {
  std::vector<int64_t> samples;
  std::vector<MatrixRef<const double>> gram;   // X'X
  std::vector<const double*> sum;              // of x
  std::vector<MatrixRef<const double>> cross;  // X'Y
  std::vector<const double*> target_sum, target_squares;
};

// The same from moments. Targets whose variance is rounding count as constant.
void ridge_predictivity(const RidgeMoments& moments, const std::vector<double>& penalties,
                        const Predictivity& out);

// Fills out[p] (penalties x columns of the target): mean squared error on the fold left out, mean
// over folds. Throws as above.
void ridge_errors(const RidgeProblem& problem, int threads, const std::vector<double*>& out);

// The same of representations as they are.
struct RidgeOptions {
  std::vector<int32_t> order;  // of the rows by their folds, which are as equal as can be
  int64_t folds;
  std::vector<double> alphas;
  bool relative;  // alphas are in units of the mean of the nonzero eigenvalues
  bool intercept;
};

// Arrays of every pair.
struct RidgeFindings {
  double* score;  // mean correlation
  // With a place per target, and the first two per fold as well.
  double *correlation, *alpha, *mean_correlation, *determination;
  int64_t* constant_units;  // of all x, then of all y
  int64_t* choices;         // (alphas): how often each penalty was chosen
};

// Scores (a x b) of predictions of the items of b, or of a itself if b is empty, from those of a.
// Constant units are counted, and how often each penalty was chosen.
void ridge_scores(const Arrays& a, const Arrays& b, const RidgeOptions& options, int threads,
                  double* scores, const Counts& counts, int64_t* choices);

// Predictions of y[k] from x[k] for all items of the two batches (equal batch axes). An item that
// pairs share through a zero stride is prepared once.
void ridge_pairs(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads,
                 const RidgeFindings& out);

// Errors (count, alphas, columns of y) of such pairs, in units of y, the penalties (count, alphas)
// in units of x, and the numbers of constant units of x.
void ridge_errors(const ArrayRef& x, const ArrayRef& y, const RidgeOptions& options, int threads,
                  double* errors, double* alphas, int64_t* constant_units);

}  // namespace likewise
