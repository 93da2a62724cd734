#pragma once

#include <cstdint>

#include "core/cuda/context.h"
#include "core/cuda/pairs.h"
#include "rsa/cuda/rdm.h"

namespace likewise::cuda {

// Inner products of the samples minus the first one (count x side x side), and what keeps items
// from being compared (see pencils.h).
struct RiemannianItems {
  const double* moments;
  int* faults;
  int64_t count, side;
};

// Of condensed RDMs of n samples.
RiemannianItems riemannian_items(const Context& context, const double* rdms, const RdmItem* facts,
                                 int64_t count, int64_t n);

// Minus the distances of a to b of the pairs of these axes, to `scores`. An item of b without full
// rank is told to the status.
//
// Up to 400 steps, those of the longest search of all pairs that are worked on at a time not being
// known here: what is done costs little up to 64 x 64 (see jacobi_shared.h), beyond that as much as
// the rest. Estimate for an H100, not measured: 100 pairs of 60 samples take 400 steps of some 1 ms
// of rotations, of which 130 do something, 0.2 s; of 500 samples 400 times 25 ms of cuSOLVER.
void riemannian_scores(const Context& context, const RiemannianItems& a, const RiemannianItems& b,
                       const PairAxes& axes, int64_t pairs, double* scores);

}  // namespace likewise::cuda
