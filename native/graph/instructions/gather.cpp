// gather and gatherElements: values by their places along an axis. A place is read once, and checked; negative ones
// count from the end.
#include "../loop.h"
#include "copying.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

bool isIndex(Element element) { return element == Element::int32 || element == Element::int64; }

// False where there is no such place among `size`.
bool readPlace(const char* at, Element element, size_t size, ptrdiff_t& place) {
  const int64_t index = element == Element::int64 ? readOnce<int64_t>(at) : readOnce<int32_t>(at);
  const int64_t limit = static_cast<int64_t>(size);
  place = static_cast<ptrdiff_t>(index < 0 ? index + limit : index);
  return index >= -limit && index < limit;
}

class Gather final : public Instruction {
public:
  Gather(size_t axis, const View& x, const View& indices, const View& y)
      : x_(x), indices_(indices), y_(y), size_(x.sizes[axis]), step_(x.strides[axis]), before_(pair(x, 0, axis, y, 0)),
        among_(pair(indices, 0, indices.rank, y, axis)), behind_(pair(x, axis + 1, x.rank, y, axis + indices.rank)),
        copy_(copyOf(bytesOf(x.element), behind_.step[0], behind_.step[1])) {}
  Ran run(const Run& run) const override {
    const bool done = forEach(before_, {run.at(x_), run.at(y_)}, [&](char* x, char* outer) {
      return forEach(among_, {run.at(indices_), outer}, [&](char* index, char* y) {
        ptrdiff_t place;
        if (!readPlace(index, indices_.element, size_, place))
          return false;
        behind_.forEach({x + place * step_, y},
                        [&](const auto& at) { copy_(at[0], behind_.step[0], at[1], behind_.step[1], behind_.length); });
        return true;
      });
    });
    return done ? Ran::done : Ran::failed;
  }

private:
  // Axes [from, to) of one view, and as many of y.
  static Loop<2> pair(const View& view, size_t from, size_t to, const View& y, size_t yFrom) {
    const View own = view.axes(from, to), same = y.axes(yFrom, yFrom + to - from);
    return Loop<2>({&own, &same});
  }
  template <class Body>
  static bool forEach(const Loop<2>& loop, const Loop<2>::Places& places, const Body& body) {
    return loop.forEachWhile(places, [&](auto at) {
      for (size_t i = 0; i < loop.length; i++, at[0] += loop.step[0], at[1] += loop.step[1])
        if (!body(at[0], at[1]))
          return false;
      return true;
    });
  }
  const View x_, indices_, y_;
  const size_t size_;
  const ptrdiff_t step_;
  const Loop<2> before_, among_, behind_; // the axes of x before, of the indices, and behind
  const CopyRun copy_;
};

class GatherElements final : public Instruction {
public:
  // `lines`: x with the sizes of the indices and no step along the axis.
  GatherElements(size_t axis, const View& x, const View& lines, const View& indices, const View& y)
      : x_(x), indices_(indices), y_(y), size_(x.sizes[axis]), step_(x.strides[axis]), loop_({&lines, &indices, &y}),
        copy_(copyOf(bytesOf(x.element), 0, 0)) {}
  Ran run(const Run& run) const override {
    const bool done = loop_.forEachWhile({run.at(x_), run.at(indices_), run.at(y_)}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++) {
        ptrdiff_t place;
        if (!readPlace(at[1], indices_.element, size_, place))
          return false;
        copy_(at[0] + place * step_, 0, at[2], 0, 1);
        for (size_t v = 0; v < at.size(); v++)
          at[v] += loop_.step[v];
      }
      return true;
    });
    return done ? Ran::done : Ran::failed;
  }

private:
  const View x_, indices_, y_;
  const size_t size_;
  const ptrdiff_t step_;
  const Loop<3> loop_;
  const CopyRun copy_;
};

} // namespace

std::unique_ptr<Instruction> decodeGather(Reader& reader) {
  const size_t axis = reader.whole(0, mostAxes - 1);
  const View x = reader.source(), indices = reader.source(), y = reader.target(x.element);
  require(isIndex(indices.element) && axis < x.rank && y.rank == x.rank - 1 + indices.rank);
  require(sameSizes(y.axes(0, axis), x.axes(0, axis)) && sameSizes(y.axes(axis, axis + indices.rank), indices) &&
          sameSizes(y.axes(axis + indices.rank, y.rank), x.axes(axis + 1, x.rank)));
  return std::make_unique<Gather>(axis, x, indices, y);
}

std::unique_ptr<Instruction> decodeGatherElements(Reader& reader) {
  const size_t axis = reader.whole(0, mostAxes - 1);
  const View x = reader.source(), indices = reader.source(), y = reader.target(x.element);
  require(isIndex(indices.element) && axis < x.rank && x.rank == indices.rank && sameSizes(indices, y));
  View lines = x;
  for (size_t i = 0; i < x.rank; i++) {
    require(i == axis || indices.sizes[i] <= x.sizes[i]);
    lines.sizes[i] = indices.sizes[i];
  }
  lines.strides[axis] = 0;
  return std::make_unique<GatherElements>(axis, x, lines, indices, y);
}

} // namespace native_rnn
