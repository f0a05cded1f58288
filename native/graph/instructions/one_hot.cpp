// oneHot: for each index a line of one value, with another one at that place. Indices out of range give no such place.
#include "../elements.h"
#include "../loop.h"
#include "list.h"

namespace native_rnn {
namespace {

template <class Bits>
class OneHot final : public Instruction {
public:
  OneHot(size_t axis, const View& indices, const View& values, const View& y)
      : indices_(indices), values_(values), y_(y), kept_(y.without(axis)), loop_({&indices, &kept_}),
        depth_(y.sizes[axis]), step_(y.strides[axis]) {}
  Ran run(const Run& run) const override {
    char* const values = run.at(values_);
    const Bits off = valueAt<Bits>(values), on = valueAt<Bits>(values + values_.strides[0]);
    const int64_t depth = int64_t(depth_);
    loop_.forEach({run.at(indices_), run.at(y_)}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++, at[0] += loop_.step[0], at[1] += loop_.step[1]) {
        const int64_t index = indices_.element == Element::int64 ? readOnce<int64_t>(at[0]) : readOnce<int32_t>(at[0]);
        for (size_t k = 0; k < depth_; k++)
          valueAt<Bits>(at[1] + ptrdiff_t(k) * step_) = off;
        if (index >= -depth && index < depth)
          valueAt<Bits>(at[1] + ptrdiff_t(index < 0 ? index + depth : index) * step_) = on;
      }
    });
    return Ran::done;
  }

private:
  const View indices_, values_, y_, kept_;
  const Loop<2> loop_;
  const size_t depth_;
  const ptrdiff_t step_;
};

} // namespace

std::unique_ptr<Instruction> decodeOneHot(Reader& reader) {
  const size_t axis = reader.whole(0, mostAxes - 1);
  const double depth = reader.number();
  const View indices = reader.source(), values = reader.source(), y = reader.target(values.element);
  require(indices.element == Element::int32 || indices.element == Element::int64);
  require(values.rank == 1 && values.sizes[0] == 2);
  require(y.rank == indices.rank + 1 && axis < y.rank && double(y.sizes[axis]) == depth &&
          sameSizes(y.without(axis), indices));
  switch (bytesOf(y.element)) {
  case 8:
    return std::make_unique<OneHot<uint64_t>>(axis, indices, values, y);
  case 4:
    return std::make_unique<OneHot<uint32_t>>(axis, indices, values, y);
  default:
    return std::make_unique<OneHot<uint8_t>>(axis, indices, values, y);
  }
}

} // namespace native_rnn
