// topK: the k largest or smallest values along an axis, in order, and their places. Of equal ones the earlier comes
// first; NaN is larger than all.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>
#include <numeric>

namespace native_rnn {
namespace {

// `Value`: float, or int64_t for all integers.
template <class Value>
class TopK final : public Instruction {
public:
  TopK(size_t axis, size_t k, bool wantsLargest, const View& x, const std::optional<View>& values,
       const std::optional<View>& places)
      : k_(k), wantsLargest_(wantsLargest), x_(x), values_(values), places_(places), length_(x.sizes[axis]),
        xStep_(x.strides[axis]), valueStep_(values ? values->strides[axis] : 0),
        placeStep_(places ? places->strides[axis] : 0) {
    const View kept = x.without(axis), keptValues = values ? values->without(axis) : kept,
               keptPlaces = places ? places->without(axis) : kept;
    loop_ = Loop<3>({&kept, &keptValues, &keptPlaces});
  }
  // A line of values, and the order of their places.
  size_t floats() const override { return length_ * ((sizeof(Value) + 3) / 4 + 1); }
  Ran run(const Run& run) const override {
    const auto place = [&](const std::optional<View>& view) { return view ? run.at(*view) : run.at(x_); };
    loop_.forEach({run.at(x_), place(values_), place(places_)}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++) {
        line(run.own, at[0], at[1], at[2]);
        for (size_t v = 0; v < at.size(); v++)
          at[v] += loop_.step[v];
      }
    });
    return Ran::done;
  }

private:
  // Sorts a copy: what another thread wrote meanwhile would mislead the sort out of its array.
  void line(float* own, char* x, char* values, char* places) const {
    Value* const all = reinterpret_cast<Value*>(own);
    uint32_t* const order = reinterpret_cast<uint32_t*>(own + length_ * ((sizeof(Value) + 3) / 4));
    gatherValues(x_.element, x, xStep_, all, length_);
    std::iota(order, order + length_, 0u);
    std::partial_sort(order, order + k_, order + length_, [&](uint32_t i, uint32_t j) {
      const Value a = wantsLargest_ ? all[i] : all[j], b = wantsLargest_ ? all[j] : all[i];
      return isLarger(a, b) || (i < j && !isLarger(b, a));
    });
    for (size_t i = 0; i < k_; i++) {
      if (values_)
        scatterValues(x_.element, all + order[i], values + ptrdiff_t(i) * valueStep_, 0, 1);
      if (places_)
        valueAt<int64_t>(places + ptrdiff_t(i) * placeStep_) = order[i];
    }
  }
  static bool isLarger(Value a, Value b) { return a > b || (a != a && b == b); }
  const size_t k_;
  const bool wantsLargest_;
  const View x_;
  const std::optional<View> values_, places_;
  Loop<3> loop_;
  const size_t length_;
  const ptrdiff_t xStep_, valueStep_, placeStep_;
};

} // namespace

std::unique_ptr<Instruction> decodeTopK(Reader& reader) {
  const size_t axis = reader.whole(0, mostAxes - 1), k = reader.whole(1, UINT32_MAX);
  const bool wantsLargest = reader.flag();
  reader.flag(); // those that need no order are given one all the same
  const View x = reader.source();
  const std::optional<View> values = reader.maybeTarget(x.element), places = reader.maybeTarget(Element::int64);
  require(axis < x.rank && k <= x.sizes[axis] && x.sizes[axis] <= UINT32_MAX);
  for (const std::optional<View>& made : {values, places})
    require(!made ||
            (made->rank == x.rank && made->sizes[axis] == k && sameSizes(made->without(axis), x.without(axis))));
  if (x.element == Element::float32)
    return std::make_unique<TopK<float>>(axis, k, wantsLargest, x, values, places);
  return std::make_unique<TopK<int64_t>>(axis, k, wantsLargest, x, values, places);
}

} // namespace native_rnn
