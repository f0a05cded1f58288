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
std::unique_ptr<Instruction> decodeGemm(Reader&);

} // namespace native_rnn
