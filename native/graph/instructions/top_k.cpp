// topK: the k largest or smallest values along an axis, in order, and their places. Of equal ones the earlier comes
// first; NaN is larger than all.
#include "../elements.h"
#include "../loop.h"
#include "../row_sums.h"
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
        lines_(x.without(axis).count()), xStep_(x.strides[axis]), valueStep_(values ? values->strides[axis] : 0),
        placeStep_(places ? places->strides[axis] : 0) {
    const View kept = x.without(axis), keptValues = values ? values->without(axis) : kept,
               keptPlaces = places ? places->without(axis) : kept;
    loop_ = Loop<3>({&kept, &keptValues, &keptPlaces});
  }
  // A line of values, and the order of their places; and once more for one that is sorted in pieces.
  size_t floats() const override { return length_ * (valueFloats + (length_ > sortedPart ? 2 : 1)); }
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
  // Of one long line.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (lines_ != 1 || length_ <= sortedPart)
      return nullptr;
    return std::make_unique<LinePieces>(*this, run);
  }

private:
  static constexpr size_t valueFloats = (sizeof(Value) + 3) / 4;
  // Values that are sorted at a time: some milliseconds.
  static constexpr size_t sortedPart = size_t{1} << 13;

  // Parts of the line are sorted, then two and two of them merged, of each no more than the first k.
  class LinePieces final : public Pieces {
  public:
    LinePieces(const TopK& of, const Run& run)
        : of_(of), run_(run), all_(reinterpret_cast<Value*>(run.own)),
          from_(reinterpret_cast<uint32_t*>(run.own + of.length_ * valueFloats)), to_(from_ + of.length_) {}
    bool advance() override {
      if (width_ == 0)
        sortPart();
      else if (width_ < of_.length_)
        merge();
      else
        write();
      return written_ < of_.k_;
    }

  private:
    size_t sizeOf(size_t begin, size_t width) const {
      return begin < of_.length_ ? std::min({of_.k_, width, of_.length_ - begin}) : 0;
    }
    void sortPart() {
      const size_t n = std::min(sortedPart, of_.length_ - begin_);
      uint32_t* const order = from_ + begin_;
      gatherValues(of_.x_.element, run_.at(of_.x_) + ptrdiff_t(begin_) * of_.xStep_, of_.xStep_, all_ + begin_, n);
      std::iota(order, order + n, uint32_t(begin_));
      of_.sort(all_, order, n);
      begin_ += n;
      if (begin_ == of_.length_)
        begin_ = 0, width_ = sortedPart;
    }
    // A part of what two parts beside each other become.
    void merge() {
      const size_t left = sizeOf(begin_, width_), right = sizeOf(begin_ + width_, width_),
                   made = sizeOf(begin_, 2 * width_);
      const uint32_t *const a = from_ + begin_, *const b = a + width_;
      for (size_t n = 0; n < sortedPart && left_ + right_ < made; n++) {
        const bool takesLeft = right_ == right || (left_ < left && of_.isBefore(all_, a[left_], b[right_]));
        const uint32_t next = takesLeft ? a[left_] : b[right_];
        to_[begin_ + left_ + right_] = next;
        takesLeft ? left_++ : right_++;
      }
      if (left_ + right_ < made)
        return;
      left_ = right_ = 0;
      begin_ += 2 * width_;
      if (begin_ >= of_.length_) {
        begin_ = 0, width_ *= 2;
        std::swap(from_, to_);
      }
    }
    void write() {
      const size_t n = std::min(rowPart, of_.k_ - written_);
      of_.write(all_, from_, written_, written_ + n, of_.values_ ? run_.at(*of_.values_) : nullptr,
                of_.places_ ? run_.at(*of_.places_) : nullptr);
      written_ += n;
    }
    const TopK& of_;
    const Run run_;
    Value* const all_;
    uint32_t *from_, *to_;
    // The values of each sorted part, 0 as long as there are none; where the next one begins; what was taken of two.
    size_t width_ = 0, begin_ = 0, left_ = 0, right_ = 0, written_ = 0;
  };

  // Sorts a copy: what another thread wrote meanwhile would mislead the sort out of its array.
  void line(float* own, char* x, char* values, char* places) const {
    Value* const all = reinterpret_cast<Value*>(own);
    uint32_t* const order = reinterpret_cast<uint32_t*>(own + length_ * valueFloats);
    gatherValues(x_.element, x, xStep_, all, length_);
    std::iota(order, order + length_, 0u);
    sort(all, order, length_);
    write(all, order, 0, k_, values_ ? values : nullptr, places_ ? places : nullptr);
  }
  // The first k of n places, or all of fewer.
  void sort(const Value* all, uint32_t* order, size_t n) const {
    std::partial_sort(order, order + std::min(k_, n), order + n,
                      [&](uint32_t i, uint32_t j) { return isBefore(all, i, j); });
  }
  void write(const Value* all, const uint32_t* order, size_t begin, size_t end, char* values, char* places) const {
    for (size_t i = begin; i < end; i++) {
      if (values)
        scatterValues(x_.element, all + order[i], values + ptrdiff_t(i) * valueStep_, 0, 1);
      if (places)
        valueAt<int64_t>(places + ptrdiff_t(i) * placeStep_) = order[i];
    }
  }
  bool isBefore(const Value* all, uint32_t i, uint32_t j) const {
    const Value a = wantsLargest_ ? all[i] : all[j], b = wantsLargest_ ? all[j] : all[i];
    return isLarger(a, b) || (i < j && !isLarger(b, a));
  }
  static bool isLarger(Value a, Value b) { return a > b || (a != a && b == b); }
  const size_t k_;
  const bool wantsLargest_;
  const View x_;
  const std::optional<View> values_, places_;
  Loop<3> loop_;
  const size_t length_, lines_;
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
