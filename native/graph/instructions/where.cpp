// where: of two values the first where a condition holds, else the second.
#include "../elements.h"
#include "../loop.h"
#include "list.h"

namespace native_rnn {
namespace {

// `Bits`: as large as the values.
template <class Bits>
class Where final : public Instruction {
public:
  Where(const View& condition, const View& a, const View& b, const View& y)
      : condition_(condition), a_(a), b_(b), y_(y), loop_({&condition, &a, &b, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(condition_), run.at(a_), run.at(b_), run.at(y_)}, [&](const auto& at) {
      char *condition = at[0], *a = at[1], *b = at[2], *y = at[3];
      for (size_t i = 0; i < loop_.length; i++) {
        const Bits first = valueAt<Bits>(a), second = valueAt<Bits>(b);
        valueAt<Bits>(y) = valueAt<uint8_t>(condition) ? first : second;
        condition += loop_.step[0], a += loop_.step[1], b += loop_.step[2], y += loop_.step[3];
      }
    });
    return Ran::done;
  }

private:
  const View condition_, a_, b_, y_;
  const Loop<4> loop_;
};

} // namespace

std::unique_ptr<Instruction> decodeWhere(Reader& reader) {
  const View condition = reader.source(Element::boolean), a = reader.source(), b = reader.source(a.element),
             y = reader.target(a.element);
  require(sameSizes(condition, a) && sameSizes(a, b) && sameSizes(a, y));
  switch (bytesOf(a.element)) {
  case 8:
    return std::make_unique<Where<uint64_t>>(condition, a, b, y);
  case 4:
    return std::make_unique<Where<uint32_t>>(condition, a, b, y);
  default:
    return std::make_unique<Where<uint8_t>>(condition, a, b, y);
  }
}

} // namespace native_rnn
