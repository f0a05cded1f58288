// One row an operator, in the order of OperatorKind.
#include "operators.h"
#include "linear.h"

namespace native_rnn {

static const OperatorType types[] = {
    operatorTypeOf<Linear>(),
};
static_assert(sizeof types / sizeof *types == operatorKinds, "each kind has a row");

const OperatorType& operatorType(OperatorKind kind) { return types[static_cast<size_t>(kind)]; }

} // namespace native_rnn
