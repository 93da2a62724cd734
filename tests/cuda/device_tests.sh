# Sourced by what runs the functions' tests on a device. Files of tests in groups of like length on
# the simulator, long ones first; what is left out there takes minutes and shows nothing that its
# smaller like does not.
device_tests=(
  "regression cca"
  "assignment assignment_match transport lasso"
  "kernels neighbours procrustes"
  "cuda_schedules"
  "cuda cuda_on_cpu cuda_streams cuda_units accumulator inference units reduce"
  "arrays measures input_policy refusals pitfalls"
  "rsa"
  "rdm_precision"
  "stream_precision"
  "offload grid linalg"
  "cuda_functions cuda_grids cuda_inference cuda_eigen"
  "gradients cuda_gradients"
)
left_out_on_simulator="700 or 300-130 or pitfall_the_penalty or all_pairs_and_batches"
left_out_on_simulator+=" or (many_mixed_items and 200)"
