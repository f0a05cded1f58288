// One row an instruction, in the order of Opcode.
#include "list.h"

namespace native_rnn {

using Decode = std::unique_ptr<Instruction> (*)(Reader&);

static constexpr Decode decoders[] = {
    decodeCopy,           // copy
    decodeCast,           // cast
    decodeFill,           // fill
    decodeMap,            // map
    decodeZip,            // zip
    decodeWhere,          // where
    decodeReduce,         // reduce
    decodeArgReduce,      // argReduce
    decodeSoftmax,        // softmax
    decodeNorm,           // norm
    decodeGather,         // gather
    decodeGatherElements, // gatherElements
    decodeOneHot,         // oneHot
    decodeCumSum,         // cumSum
    decodeTopK,           // topK
    decodeGemm,           // gemm
    decodeMatmul,         // matmul
    decodeConv,           // conv
    decodeDepthwise,      // depthwise
    decodeConvTranspose,  // convTranspose
    decodePool,           // pool
    decodeNetwork,        // network
    decodeSymmetricConv,  // symmetricConv
    nullptr,              // branch, which the program makes itself
};
static_assert(sizeof decoders / sizeof *decoders == opcodes, "each opcode has a row");

std::unique_ptr<Instruction> decodeInstruction(Opcode opcode, Reader& reader) {
  const Decode decode = decoders[static_cast<size_t>(opcode)];
  if (!decode)
    throwInvalid("there is no such instruction");
  return decode(reader);
}

} // namespace native_rnn
