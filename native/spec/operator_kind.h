// The operators beside recurrent networks; the one list of what there is. ops/operators.cpp makes them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class OperatorKind : int32_t { linear };
constexpr size_t operatorKinds = static_cast<size_t>(OperatorKind::linear) + 1;

} // namespace native_rnn
