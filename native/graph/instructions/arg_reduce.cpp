// argReduce: the place of the largest or smallest value along an axis. NaN is beyond everything, as NumPy has it.
#include "../elements.h"
#include "../loop.h"
#include "../row_sums.h"
#include "list.h"

namespace native_rnn {
namespace {

// `Value`: float, or int64_t for all integers.
template <class Value>
class ArgReduce final : public Instruction {
public:
  ArgReduce(bool wantsLeast, bool selectsLast, size_t axis, const View& x, const View& y)
      : wantsLeast_(wantsLeast), selectsLast_(selectsLast), x_(x), y_(y), keptX_(x.without(axis)),
        keptY_(y.without(axis)), loop_({&keptX_, &keptY_}), length_(x.sizes[axis]), step_(x.strides[axis]) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
      char *x = at[0], *y = at[1];
      for (size_t i = 0; i < loop_.length; i++, x += loop_.step[0], y += loop_.step[1])
        valueAt<int64_t>(y) = static_cast<int64_t>(place(x));
    });
    return Ran::done;
  }
  // Of one long line.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (length_ <= rowPart || keptX_.count() != 1)
      return nullptr;
    return std::make_unique<LinePieces>(*this, run);
  }

private:
  // How far a line was looked through, and what was found in it.
  struct Search {
    size_t at = 0, found = 0;
    Value best{};
  };
  class LinePieces final : public Pieces {
  public:
    LinePieces(const ArgReduce& of, const Run& run) : of_(of), x_(run.at(of.x_)), y_(run.at(of.y_)) {}
    bool advance() override {
      of_.look(search_, x_, std::min(of_.length_, search_.at + rowPart));
      if (search_.at < of_.length_)
        return true;
      valueAt<int64_t>(y_) = static_cast<int64_t>(search_.found);
      return false;
    }

  private:
    const ArgReduce& of_;
    const char* const x_;
    char* const y_;
    Search search_;
  };

  // On, to a place or the line's end.
  void look(Search& search, const char* line, size_t end) const {
    if (search.at == 0) {
      gatherValues(x_.element, line, 0, &search.best, 1);
      search.at = 1;
    }
    const char* x = line + ptrdiff_t(search.at) * step_;
    size_t found = search.found;
    Value best = search.best;
    for (size_t i = search.at; i < end && best == best; i++, x += step_) {
      Value value;
      gatherValues(x_.element, x, 0, &value, 1);
      const bool isBeyond = wantsLeast_ ? value < best : value > best;
      if (isBeyond || (selectsLast_ && value == best) || value != value)
        found = i, best = value;
    }
    search = {end, found, best};
  }
  size_t place(const char* x) const {
    Search search;
    look(search, x, length_);
    return search.found;
  }
  const bool wantsLeast_, selectsLast_;
  const View x_, y_, keptX_, keptY_;
  const Loop<2> loop_;
  const size_t length_;
  const ptrdiff_t step_;
};

} // namespace

std::unique_ptr<Instruction> decodeArgReduce(Reader& reader) {
  const bool wantsLeast = reader.flag(), selectsLast = reader.flag();
  const size_t axis = reader.whole(0, mostAxes - 1);
  const View x = reader.source(), y = reader.target(Element::int64);
  require(axis < x.rank && x.rank == y.rank && y.sizes[axis] == 1 && sameSizes(x.without(axis), y.without(axis)));
  if (x.element == Element::float32)
    return std::make_unique<ArgReduce<float>>(wantsLeast, selectsLast, axis, x, y);
  return std::make_unique<ArgReduce<int64_t>>(wantsLeast, selectsLast, axis, x, y);
}

} // namespace native_rnn
