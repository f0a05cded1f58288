// The list of instructions: what makes each of its numbers.
#pragma once
#include "../instruction.h"
#include "../reader.h"

namespace native_rnn {

// Throws where the numbers are not those of such an instruction.
std::unique_ptr<Instruction> decodeInstruction(Opcode, Reader&);

std::unique_ptr<Instruction> decodeCopy(Reader&);
std::unique_ptr<Instruction> decodeFill(Reader&);
std::unique_ptr<Instruction> decodeMap(Reader&);
std::unique_ptr<Instruction> decodeZip(Reader&);
std::unique_ptr<Instruction> decodeOneHot(Reader&);
std::unique_ptr<Instruction> decodeCumSum(Reader&);
std::unique_ptr<Instruction> decodeTopK(Reader&);
std::unique_ptr<Instruction> decodeGemm(Reader&);
std::unique_ptr<Instruction> decodeDepthwise(Reader&);
std::unique_ptr<Instruction> decodeConvTranspose(Reader&);
std::unique_ptr<Instruction> decodePool(Reader&);

} // namespace native_rnn
