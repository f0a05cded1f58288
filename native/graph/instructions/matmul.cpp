// matmul: products of matrices that are both computed. Where rows of b or y do not lie together they are brought so.
#include "../../platform/memory.h"
#include "../line.h"
#include "../loop.h"
#include "../row_sums.h"
#include "list.h"

namespace native_rnn {
namespace {

class Matmul final : public Instruction {
public:
  Matmul(const OpKernels& kernels, float alpha, const View& a, const View& b, const View& y)
      : kernels_(kernels), alpha_(alpha), a_(a), b_(b), y_(y), bMatrix_(matrixOf(b)), yMatrix_(matrixOf(y)),
        packsB_(!b.isDenseAlong(b.rank - 1)), packsY_(!y.isDenseAlong(y.rank - 1)), aOuter_(a.axes(0, a.rank - 2)),
        bOuter_(b.axes(0, b.rank - 2)), yOuter_(y.axes(0, y.rank - 2)), loop_({&aOuter_, &bOuter_, &yOuter_}) {}
  size_t floats() const override { return bFloats() + (packsY_ ? yMatrix_.count() : 0); }
  Ran run(const Run& run) const override {
    const char* packed = nullptr; // the matrix b that `own` has
    const size_t K = a_.sizes[a_.rank - 1];
    loop_.forEach({run.at(a_), run.at(b_), run.at(y_)}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++) {
        multiply(at, run.own, packsB_ && packed != at[1] ? &bMatrix_ : nullptr, {0, K, K});
        packed = at[1];
        for (size_t v = 0; v < at.size(); v++)
          at[v] += loop_.step[v];
      }
    });
    return Ran::done;
  }

  // Of one matrix of long sums.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (yOuter_.count() != 1 || b_.sizes[b_.rank - 2] <= rowPart)
      return nullptr;
    return std::make_unique<SumPieces>(*this, run);
  }

private:
  // A part of all sums at a time; what was summed lies where the products will.
  class SumPieces final : public Pieces {
  public:
    SumPieces(const Matmul& of, const Run& run) : of_(of), run_(run) {}
    bool advance() override {
      const size_t rank = of_.b_.rank, K = of_.b_.sizes[rank - 2], count = std::min(rowPart, K - at_);
      View part = of_.b_;
      part.sizes[rank - 2] = count;
      const Line rows = matrixOf(part);
      const ptrdiff_t at = ptrdiff_t(at_);
      of_.multiply({run_.at(of_.a_) + at * of_.a_.strides[rank - 1], run_.at(of_.b_) + at * of_.b_.strides[rank - 2],
                    run_.at(of_.y_)},
                   run_.own, of_.packsB_ ? &rows : nullptr, {at_, count, K});
      at_ += count;
      return at_ < K;
    }

  private:
    const Matmul& of_;
    const Run run_;
    size_t at_ = 0;
  };
  // Terms [first, first + count) of the sums of K.
  struct Terms {
    size_t first, count, K;
  };

  static Line matrixOf(const View& view) { return Line(view.axes(view.rank - 2, view.rank)); }
  // A multiple of a cache line.
  size_t bFloats() const { return packsB_ ? aligned(bMatrix_.count()) : 0; }
  // `rows`: those of b that are brought together first.
  void multiply(const Loop<3>::Places& at, float* own, const Line* rows, const Terms& terms) const {
    const size_t rank = a_.rank, M = a_.sizes[rank - 2], N = b_.sizes[rank - 1];
    if (rows)
      rows->read(at[1], own);
    const bool isFirst = terms.first == 0, isLast = terms.first + terms.count == terms.K;
    float* const y = packsY_ ? own + bFloats() : reinterpret_cast<float*>(at[2]);
    kernels_.matmul({M, terms.count, N, isLast ? alpha_ : 1, reinterpret_cast<const float*>(at[0]),
                     a_.floatStride(rank - 2), a_.floatStride(rank - 1),
                     packsB_ ? own : reinterpret_cast<const float*>(at[1]),
                     packsB_ ? ptrdiff_t(N) : b_.floatStride(rank - 2), y,
                     packsY_ ? ptrdiff_t(N) : y_.floatStride(rank - 2), !isFirst});
    if (packsY_ && isLast)
      yMatrix_.write(y, at[2]);
  }
  const OpKernels& kernels_;
  const float alpha_;
  const View a_, b_, y_;
  const Line bMatrix_, yMatrix_;
  const bool packsB_, packsY_;
  const View aOuter_, bOuter_, yOuter_;
  const Loop<3> loop_; // over matrices
};

} // namespace

std::unique_ptr<Instruction> decodeMatmul(Reader& reader) {
  const float alpha = reader.factor();
  const View a = reader.source(Element::float32), b = reader.source(Element::float32),
             y = reader.target(Element::float32);
  const size_t rank = a.rank;
  require(rank >= 2 && b.rank == rank && y.rank == rank);
  const View outer = y.axes(0, rank - 2);
  require(sameSizes(outer, a.axes(0, rank - 2)) && sameSizes(outer, b.axes(0, rank - 2)));
  require(a.sizes[rank - 2] == y.sizes[rank - 2] && b.sizes[rank - 1] == y.sizes[rank - 1] &&
          a.sizes[rank - 1] == b.sizes[rank - 2]);
  return std::make_unique<Matmul>(reader.surroundings.kernels.ops, alpha, a, b, y);
}

} // namespace native_rnn
