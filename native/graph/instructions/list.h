// The list of instructions: what makes each of its numbers.
#pragma once
#include "../instruction.h"
#include "../reader.h"

namespace native_rnn {

// Throws where the numbers are not those of such an instruction.
std::unique_ptr<Instruction> decodeInstruction(Opcode, Reader&);

std::unique_ptr<Instruction> decodeCopy(Reader&);
std::unique_ptr<Instruction> decodeCast(Reader&);
std::unique_ptr<Instruction> decodeFill(Reader&);
std::unique_ptr<Instruction> decodeMap(Reader&);
std::unique_ptr<Instruction> decodeZip(Reader&);
std::unique_ptr<Instruction> decodeWhere(Reader&);
std::unique_ptr<Instruction> decodeReduce(Reader&);
std::unique_ptr<Instruction> decodeArgReduce(Reader&);
std::unique_ptr<Instruction> decodeSoftmax(Reader&);
std::unique_ptr<Instruction> decodeNorm(Reader&);
std::unique_ptr<Instruction> decodeGather(Reader&);
std::unique_ptr<Instruction> decodeGatherElements(Reader&);
std::unique_ptr<Instruction> decodeOneHot(Reader&);
std::unique_ptr<Instruction> decodeCumSum(Reader&);
std::unique_ptr<Instruction> decodeTopK(Reader&);
std::unique_ptr<Instruction> decodeGemm(Reader&);
std::unique_ptr<Instruction> decodeMatmul(Reader&);
std::unique_ptr<Instruction> decodeConv(Reader&);
std::unique_ptr<Instruction> decodeDepthwise(Reader&);
std::unique_ptr<Instruction> decodeConvTranspose(Reader&);
std::unique_ptr<Instruction> decodePool(Reader&);
std::unique_ptr<Instruction> decodeNetwork(Reader&);
std::unique_ptr<Instruction> decodeSymmetricConv(Reader&);

} // namespace native_rnn
