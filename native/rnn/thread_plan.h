// How many threads a call is worth, by its work and by what sharing costs on this machine.
#pragma once
#include "forward_call.h"
#include "packed_layer.h"
#include <vector>

namespace native_rnn {

// Of those that the call may use.
size_t threadsForCall(const ForwardCall&, const std::vector<PackedLayer>&);
// With how many of these threads a single row's steps take the least time when they share its units.
size_t threadsForUnits(const PackedLayer&, size_t threads);

} // namespace native_rnn
