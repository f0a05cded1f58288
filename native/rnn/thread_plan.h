// How many threads a call is worth, by its work and by what sharing costs on this machine.
#pragma once
#include "forward_call.h"
#include "packed_layer.h"
#include <vector>

namespace native_rnn {

// Of those that the call may use.
size_t threadsForCall(const ForwardCall&, const std::vector<PackedLayer>&);
// What threads share: rows, or steps, after which they wait for each other.
enum class Sharing { none, rows, steps };
// On a busy machine a thread may be kept from running while the others wait for what it has taken. What that has cost
// is an account of the process, for each kind: while there is a debt, calls that could be shared are one thread's, and
// pay it off with a small part of their time. So trying costs no more than that part, however busy the machine.
bool isOverdrawn(Sharing);
// What a shared call has taken longer than one thread alone, or if negative less.
void charge(Sharing, double lostNs);
// What a call has taken that was one thread's for a debt.
void pay(Sharing, double ns);
// With how many of these threads a single row's steps take the least time when they share its units.
size_t threadsForUnits(const PackedLayer&, size_t threads);

} // namespace native_rnn
