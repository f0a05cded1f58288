// The list of operators.
#pragma once
#include "operator.h"

namespace native_rnn {

const OperatorType& operatorType(OperatorKind);

} // namespace native_rnn
