// The tables of the instruction sets, best first, and which of them this CPU can run.
#pragma once
#include "kernels.h"

namespace native_rnn {

// All tables of this build, best first, each with the best products of int8 that this CPU has for it.
const Kernels* const* kernelTables(size_t& count);
// The same without what this CPU adds to them.
const Kernels* const* compiledTables(size_t& count);
// Whether this CPU has everything the table needs.
bool runsHere(const Kernels&);
// The table of that name, whether it runs here or not; null where this build has none.
const Kernels* kernelsByName(const char* name);

} // namespace native_rnn
