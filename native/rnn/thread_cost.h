// What it takes threads to work together on this machine, and what one of them computes meanwhile. Knows no networks.
#pragma once
#include "../kernels/kernels.h"

namespace native_rnn {

struct ThreadCosts {
  double wakeNs;       // from asking a sleeping thread for help until it is there
  double barrierNs;    // of two threads at a barrier, each of which then reads what the other wrote before
  double gemvNsPerMac; // of a multiply-add in a product of one row, whose weights lie in the second-level cache
  double gemmNsPerMac; // and of several rows
};

// Measured once with each table of kernels, when first asked for: that takes up to a millisecond, and as long as
// starting a thread. Typical ones where no thread comes to help. A busy machine may be measured three times.
ThreadCosts threadCosts(const Kernels&);

// From now on threads share whatever they can, and nothing is measured: for tests of the sharing itself.
void alwaysShareWork();
bool sharesAlways();

} // namespace native_rnn
