// Which rows of x can be one product: a product takes rows that are equally far apart.
#include "input_gates.h"
#include <cstring>

namespace native_rnn {

InputGates::InputGates(const PackedLayer& layer, const RowGroup& rows, bool reverse, float* gathered)
    : layer_(layer), rows_(rows), reverse_(reverse), gathered_(gathered), packedRow_(layer.input().packedRow()) {}

//            time →                   gathered     rows in the order of their lengths: copied together first
//   row 0    x00 x01 x02              oneRow       one row runs: its steps are x.step apart
//   row 1    x10 x11 x12              allTogether  (T, B, I) and all rows run: the next step begins behind the last row
//   row 2    x20 x21 x22              rowByRow     (B, T, I), or rows that end at different times in reverse
//                                     stepByStep   else; few long steps
InputGates::Access InputGates::accessOf(size_t steps, size_t active) const {
  if (rows_.order && !xByPosition && active > 1)
    return Access::gathered;
  if (active == 1)
    return Access::oneRow;
  if (xStep() == ptrdiff_t(active) * x.row)
    return Access::allTogether;
  return steps >= active || (reverse_ && rows_.lengths) ? Access::rowByRow : Access::stepByStep;
}

void InputGates::make(size_t begin, size_t steps, size_t active, float* to) const {
  switch (accessOf(steps, active)) {
  case Access::gathered:
    gather(begin, steps, active);
    return multiply(gathered_, ptrdiff_t(layer_.inputs()), to, packedRow_, steps * active);
  case Access::oneRow:
    return layer_.multiplyInput(ofOneRow(begin, steps, to));
  case Access::allTogether:
    return multiply(x.at(begin, xRow(0)), x.row, to, packedRow_, steps * active);
  case Access::rowByRow:
    for (size_t i = 0; i < active; i++)
      multiply(xAt(i, begin), xStep(), to + i * packedRow_, active * packedRow_, steps);
    return;
  case Access::stepByStep:
    for (size_t s = 0; s < steps; s++)
      multiply(xAt(0, begin + s), x.row, to + s * active * packedRow_, packedRow_, active);
    return;
  }
}

GemmArgs InputGates::ofOneRow(size_t begin, size_t steps, float* to) const {
  return {layer_.inputView(), xAt(0, begin), xStep(), to, packedRow_, steps};
}

void InputGates::multiply(const float* a, ptrdiff_t aStride, float* to, size_t toStride, size_t rows) const {
  layer_.multiplyInput({layer_.inputView(), a, aStride, to, toStride, rows});
}

void InputGates::gather(size_t begin, size_t steps, size_t active) const {
  const size_t K = layer_.inputs();
  for (size_t s = 0; s < steps; s++)
    for (size_t i = 0; i < active; i++)
      std::memcpy(gathered_ + (s * active + i) * K, xAt(i, begin + s), K * sizeof(float));
}

} // namespace native_rnn
