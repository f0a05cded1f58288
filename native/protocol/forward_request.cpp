// The sizes of a forward call's arrays follow from the network, T, B and flags alone.
#include "forward_request.h"
#include "../platform/memory.h"

namespace native_rnn {

CallLengths callLengths(const NetworkSpec& spec, size_t T, size_t B) {
  const size_t D = spec.directions(), O = spec.outputSize(), rows = checkedProduct(spec.numLayers * D, B),
               steps = checkedProduct(T, B);
  return {checkedProduct(steps, spec.inputSize), checkedProduct(rows, O),
          spec.traits().hasCellState ? checkedProduct(rows, spec.hiddenSize) : 0, checkedProduct(steps, D * O)};
}

ForwardRequest::ForwardRequest(const Header& header, const NetworkSpec& spec, size_t threads)
    : T(header.size(HeaderField::T)), B(header.size(HeaderField::B)), flags(header.flags()), threads(threads),
      all(callLengths(spec, T, B)) {
  if (has(ForwardFlag::c0) && !spec.traits().hasCellState)
    throwInvalid("this cell has no cell state");
}

ForwardCall ForwardRequest::empty() const {
  ForwardCall call{};
  call.T = T;
  call.B = B;
  call.batchFirst = has(ForwardFlag::batchFirst);
  call.threads = threads;
  return call;
}

ForwardCall ForwardRequest::inputsOver(ArenaCursor& cursor) const {
  ForwardCall call = empty();
  call.x = cursor.take(all.x);
  if (has(ForwardFlag::h0))
    call.h0 = cursor.take(h0());
  if (has(ForwardFlag::c0))
    call.c0 = cursor.take(c0());
  if (has(ForwardFlag::lengths))
    call.lengths = reinterpret_cast<const int32_t*>(cursor.take(B));
  return call;
}

ForwardCall ForwardRequest::over(ArenaCursor cursor) const {
  ForwardCall call = inputsOver(cursor);
  if (has(ForwardFlag::output))
    call.y = cursor.take(all.y);
  call.hn = cursor.take(all.h);
  if (all.c)
    call.cn = cursor.take(all.c);
  return call;
}

void checkLengths(const ForwardCall& call) {
  for (size_t row = 0; call.lengths && row < call.B; row++) {
    if (call.lengths[row] < 0 || static_cast<size_t>(call.lengths[row]) > call.T)
      throwInvalid("a length is out of range");
  }
}

} // namespace native_rnn
