"""Faults in core/cuda/uploads.cpp for mutate.py: what it is, the text, what it becomes."""

FAULTS = (
    ("copies over what is read", "  buffers_[buffer].read.hold_back(copies_.get());\n", ""),
    ("work before the copies", "buffers_[buffer].filled.hold_back(pool_.stream());", ""),
    ("pinned memory filled while it is sent", "    if (used_ == 0) piece.sent.wait();\n", ""),
    ("pinned copies not recorded", "  piece.sent.record(copies_.get());\n", ""),
    ("end of the copies not recorded", "  buffers_[buffer_].filled.record(copies_.get());\n", ""),
    ("end of the work not recorded", "buffers_[buffer].read.record(pool_.stream());", ""),
    (
        "copies before the allocation",
        "      buffer.read.record(pool.stream());  // copies come after the allocation\n",
        "",
    ),
    ("goes while copies run", "  cudaStreamSynchronize(copies_.get());", ""),
    ("rest is not sent", "void Uploads::end() {\n  send_piece();", "void Uploads::end() {"),
    ("gap left out of the piece", "  if (used_ > 0) used_ += gap;\n", ""),
    (
        "past the end of the piece",
        "std::min(bytes, piece_bytes_ - used_)",
        "std::min(bytes, piece_bytes_)",
    ),
    ("items not aligned", "  position_ += gap;\n", ""),
)
