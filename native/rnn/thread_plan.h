// How many threads a call is worth, by what sharing costs on this machine.
#pragma once
#include "packed_layer.h"
#include <vector>

namespace native_rnn {

// Of those that the call may use.
size_t plannedThreads(const ForwardCall&, const std::vector<PackedLayer>&);
// With how many of these threads a single row's steps take the least time when they share its units.
size_t unitThreads(const PackedLayer&, size_t threads);

} // namespace native_rnn
