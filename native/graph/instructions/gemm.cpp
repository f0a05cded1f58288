// gemm: rows times packed weights. Rows of x may overlap, which makes a convolution over time of it.
#include "gemm.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {

Gemm::Gemm(const PackedRows& rows, bool isPadded, const View& x, const View& y)
    : rows_(rows), x_(x), y_(y), xRows_(x.axes(0, x.rank - 1)), yRows_(y.axes(0, y.rank - 1)),
      loop_({&xRows_, &yRows_}) {
  isStraight_ = (isPadded || rows.packedRow() == rows.outputs()) && rows.fits(y) &&
                (loop_.length == 1 || loop_.step[1] >= ptrdiff_t(rows.packedRow() * sizeof(float)));
}

Ran Gemm::run(const Run& run) const {
  const ptrdiff_t aStride = loop_.step[0] / ptrdiff_t(sizeof(float)),
                  yStride = loop_.step[1] / ptrdiff_t(sizeof(float));
  loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
    const float* a = reinterpret_cast<const float*>(at[0]);
    float* y = reinterpret_cast<float*>(at[1]);
    for (size_t first = 0; first < loop_.length; first += tileScratchRows) {
      const size_t rows = std::min(tileScratchRows, loop_.length - first);
      rows_.run(a, aStride, y, yStride, rows, isStraight_, run.own);
      a += ptrdiff_t(rows) * aStride, y += ptrdiff_t(rows) * yStride;
    }
  });
  return Ran::done;
}

void checkPadded(const View& y, size_t packedRow, const Reader& reader) {
  View padded = y;
  padded.sizes[y.rank - 1] = std::max(y.sizes[y.rank - 1], packedRow);
  padded.strides[y.rank - 1] = sizeof(float);
  padded.check(reader.surroundings.regionBytes[size_t(y.region)]);
}

std::unique_ptr<Instruction> decodeGemm(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const WeightType type = reader.weightType();
  const size_t K = reader.whole(1, largestMatrixSize), N = reader.whole(1, largestMatrixSize);
  const Function function = reader.function(false);
  const bool isPadded = reader.flag();
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(x.rank >= 2 && x.rank == y.rank && sameSizes(x.axes(0, x.rank - 1), y.axes(0, y.rank - 1)));
  require(x.sizes[x.rank - 1] == K && y.sizes[y.rank - 1] == N);
  require(x.isDenseAlong(x.rank - 1) && y.isDenseAlong(y.rank - 1));
  const PackedRows rows(reader, memory, K, N, type, function);
  if (isPadded)
    checkPadded(y, rows.packedRow(), reader);
  return std::make_unique<Gemm>(rows, isPadded, x, y);
}

} // namespace native_rnn
