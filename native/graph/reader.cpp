// What each kind of number may be, and the bounds of views.
#include "reader.h"
#include "../protocol/precision_numbers.h"
#include <cmath>

namespace native_rnn {

namespace {
// In any direction: small enough that sums and products of a few cannot overflow.
constexpr double mostBytes = isWide ? 1e14 : 2147483647;
constexpr size_t largestSize = size_t{1} << (isWide ? 40 : 28);
} // namespace

double Reader::number() {
  if (next_ == end_)
    throwInvalid("an instruction is too short");
  return *next_++;
}

ptrdiff_t Reader::signedWhole(double most) {
  const double number = this->number();
  if (!(std::fabs(number) <= most))
    throwInvalid("a number is out of range");
  return static_cast<ptrdiff_t>(number);
}

Function Reader::function(bool isNeeded) {
  Function function;
  const ptrdiff_t kind = signedWhole(mapFunctions - 1);
  function.alpha = factor();
  function.beta = factor();
  if (kind < 0 && !isNeeded)
    return function;
  require(kind >= 0);
  function.kind = static_cast<MapFunction>(kind);
  function.kernel = surroundings.kernels.ops.map[kind];
  require(function.kernel || isNeeded);
  return function;
}

View Reader::view(bool mayBeHalf) {
  View view{};
  view.element = kind<Element>(elementTypes);
  require(mayBeHalf || view.element != Element::float16);
  view.region = kind<Region>(regions);
  view.offset = whole(0, size_t(mostBytes));
  view.rank = whole(0, mostAxes);
  const double bytes = double(bytesOf(view.element));
  for (size_t axis = 0; axis < view.rank; axis++) {
    view.sizes[axis] = whole(1, largestSize);
    const ptrdiff_t stride = signedWhole(mostBytes / bytes) * ptrdiff_t(bytes);
    view.strides[axis] = view.sizes[axis] == 1 ? 0 : stride;
  }
  view.check(surroundings.regionBytes[size_t(view.region)]);
  return view;
}

View Reader::written(const View& view) {
  if (view.region == Region::constants)
    throwInvalid("a program writes to its constants");
  return view;
}

View Reader::castTarget(bool& isHalf) {
  View y = written(view(true));
  isHalf = y.element == Element::float16;
  if (isHalf)
    y.element = Element::float32;
  return y;
}

std::optional<View> Reader::maybeSource() {
  if (next_ == end_ || *next_ != -1)
    return source();
  next_++;
  return std::nullopt;
}

std::optional<View> Reader::maybeTarget() {
  if (next_ == end_ || *next_ != -1)
    return target();
  next_++;
  return std::nullopt;
}

View Reader::of(Element element, const View& view) {
  require(view.element == element);
  return view;
}
std::optional<View> Reader::maybeSource(Element element) {
  const std::optional<View> view = maybeSource();
  return view ? of(element, *view) : view;
}
std::optional<View> Reader::maybeTarget(Element element) {
  const std::optional<View> view = maybeTarget();
  return view ? of(element, *view) : view;
}

size_t Reader::axisOf(size_t axis, const View& view) const {
  require(axis < view.rank);
  return axis;
}

WeightType Reader::weightType() {
  const double weights = number();
  return precisionFromNumbers(weights, number()).packed();
}

float* Reader::memory(size_t index, size_t bytes) const {
  require(index < surroundings.memories.size());
  const Surroundings::Memory& memory = surroundings.memories[index];
  if (bytes > memory.floats * sizeof(float))
    throwInvalid("packed weights are too short");
  return memory.data;
}

} // namespace native_rnn
