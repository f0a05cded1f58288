// network: a recurrent layer, by the engine that the public layers run on. Operands that do not lie as it wants them go
// through memory of the instruction's own.
#include "../../rnn/network.h"
#include "../../protocol/spec_numbers.h"
#include "../../rnn/forward.h"
#include "../../rnn/forward_pieces.h"
#include "../line.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

// One operand that is floats, or none; and where it lies if it does not lie as the engine wants it.
class Array {
public:
  Array() = default;
  // Takes memory of the instruction's from `floats` on, where it needs it.
  Array(const std::optional<View>& view, const std::optional<View>& order, size_t& floats) : view_(view) {
    if (!view)
      return;
    line_ = Line(order ? *order : *view);
    offset_ = floats;
    floats += aligned(line_.floats());
  }
  bool isThere() const { return view_.has_value(); }
  const float* read(const Run& run) const { return view_ ? line_.read(run.at(*view_), run.own + offset_) : nullptr; }
  float* target(const Run& run) const { return view_ ? line_.target(run.at(*view_), run.own + offset_) : nullptr; }
  void write(const Run& run) const {
    if (view_)
      line_.write(run.own + offset_, run.at(*view_));
  }

private:
  std::optional<View> view_;
  Line line_;
  size_t offset_ = 0;
};

// The first two axes in the other order.
std::optional<View> swapped(const std::optional<View>& view) {
  std::optional<View> other = view;
  if (other) {
    std::swap(other->sizes[0], other->sizes[1]);
    std::swap(other->strides[0], other->strides[1]);
  }
  return other;
}

struct Sequences {
  View x;
  std::optional<View> lengths, h0, c0, y, hn, cn;
};

class NetworkInstruction final : public Instruction {
public:
  NetworkInstruction(const NetworkSpec& spec, const Reader& reader, size_t memory, const Sequences& of)
      : network_(spec, reader.surroundings.kernels,
                 reader.memory(memory, Network::packedBytes(spec, reader.surroundings.kernels))),
        lengths_(of.lengths) {
    const size_t T = of.x.sizes[0], B = of.x.sizes[1], rows = spec.numLayers * spec.directions() * B;
    call_.T = T, call_.B = B, call_.threads = reader.surroundings.threads;
    // (T, B, ·), unless more lies the other way.
    const auto dense = [](const std::optional<View>& view) { return view && view->isDense(); };
    const std::optional<View> x = of.x;
    call_.batchFirst = dense(swapped(x)) + dense(swapped(of.y)) > dense(x) + dense(of.y);
    const auto order = [&](const std::optional<View>& view) { return call_.batchFirst ? swapped(view) : view; };
    x_ = Array(x, order(x), ownFloats_);
    y_ = Array(of.y, order(of.y), ownFloats_);
    h0_ = Array(of.h0, of.h0, ownFloats_);
    c0_ = Array(of.c0, of.c0, ownFloats_);
    hn_ = Array(of.hn, of.hn, ownFloats_);
    cn_ = Array(of.cn, of.cn, ownFloats_);
    const auto take = [&](size_t floats) {
      const size_t offset = ownFloats_;
      ownFloats_ += aligned(floats);
      return offset;
    };
    hnOffset_ = take(hn_.isThere() ? 0 : product(rows, spec.outputSize()));
    cnOffset_ = take(cn_.isThere() || !spec.traits().hasCellState ? 0 : product(rows, spec.hiddenSize));
    lengthsOffset_ = take(lengths_ ? B : 0);
    forwardOffset_ = take(0);
    forwardFloats_ = Forward(call_, network_.spec(), network_.layers()).floats();
    if (!lengths_ || B > manyRows)
      return;
    std::vector<int32_t> uneven(B, static_cast<int32_t>(T));
    uneven[0] = 0;
    ForwardCall call = call_;
    call.lengths = uneven.data();
    forwardFloats_ = std::max(forwardFloats_, Forward(call, network_.spec(), network_.layers()).floats());
  }
  size_t floats() const override { return forwardOffset_ + forwardFloats_; }

  Ran run(const Run& run) const override {
    ForwardCall call = call_;
    if (!prepare(run, call))
      return Ran::failed;
    Forward forward(call, network_.spec(), network_.layers());
    if (forward.floats() <= forwardFloats_) {
      forward.run(run.own + forwardOffset_);
    } else {
      FloatBuffer more(forward.floats()); // it was planned for other lengths, or fewer threads
      forward.run(more.data());
    }
    finish(run);
    return Ran::done;
  }

  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    ForwardCall call = call_;
    if (!prepare(run, call))
      return nullptr;
    return std::make_unique<NetworkPieces>(*this, run, call);
  }

private:
  static constexpr size_t manyRows = 65536;

  class NetworkPieces final : public Pieces {
  public:
    NetworkPieces(const NetworkInstruction& of, const Run& run, const ForwardCall& call)
        : of_(of), run_(run), pieces_(call, of.network_) {
      if (pieces_.floats() > of.forwardFloats_)
        more_ = std::make_unique<FloatBuffer>(pieces_.floats());
      pieces_.start(more_ ? more_->data() : run.own + of.forwardOffset_);
    }
    bool advance() override {
      if (pieces_.advance())
        return true;
      of_.finish(run_);
      return false;
    }

  private:
    const NetworkInstruction& of_;
    const Run run_;
    ForwardPieces pieces_;
    std::unique_ptr<FloatBuffer> more_;
  };

  // The call's arrays; false where a length is not possible.
  bool prepare(const Run& run, ForwardCall& call) const {
    if (lengths_ && !readLengths(run, call))
      return false;
    call.x = x_.read(run), call.h0 = h0_.read(run), call.c0 = c0_.read(run);
    call.y = y_.target(run);
    call.hn = hn_.isThere() ? hn_.target(run) : run.own + hnOffset_;
    if (network_.spec().traits().hasCellState)
      call.cn = cn_.isThere() ? cn_.target(run) : run.own + cnOffset_;
    call.cancelled = run.cancelled;
    return true;
  }
  void finish(const Run& run) const { y_.write(run), hn_.write(run), cn_.write(run); }

  // To memory of the instruction's own; false where one is longer than the sequence.
  bool readLengths(const Run& run, ForwardCall& call) const {
    int32_t* const own = reinterpret_cast<int32_t*>(run.own + lengthsOffset_);
    const char* at = run.at(*lengths_);
    for (size_t b = 0; b < call_.B; b++, at += lengths_->strides[0]) {
      own[b] = readOnce<int32_t>(at);
      if (own[b] < 0 || size_t(own[b]) > call_.T)
        return false;
    }
    call.lengths = own;
    return true;
  }

  const Network network_;
  const std::optional<View> lengths_;
  ForwardCall call_{};
  Array x_, y_, h0_, c0_, hn_, cn_;
  size_t ownFloats_ = 0, hnOffset_, cnOffset_, lengthsOffset_, forwardOffset_, forwardFloats_;
};

NetworkSpec readSpec(Reader& reader) {
  double numbers[specNumbers];
  std::fill_n(numbers, specNumbers, NAN);
  const size_t count = reader.whole(0, specNumbers);
  for (size_t i = 0; i < count; i++)
    numbers[i] = reader.number();
  return specFromNumbers(numbers);
}

bool is(const std::optional<View>& view, size_t a, size_t b, size_t c) {
  return !view || (view->rank == 3 && view->sizes[0] == a && view->sizes[1] == b && view->sizes[2] == c);
}

// The bytes that a view may touch, as [from, to) of its region.
bool overlap(const View& a, const View& b) {
  const auto from = [](const View& view) {
    ptrdiff_t at = ptrdiff_t(view.offset);
    for (size_t i = 0; i < view.rank; i++)
      at += std::min<ptrdiff_t>(view.strides[i], 0) * ptrdiff_t(view.sizes[i] - 1);
    return at;
  };
  const auto to = [](const View& view) {
    ptrdiff_t at = ptrdiff_t(view.offset + bytesOf(view.element));
    for (size_t i = 0; i < view.rank; i++)
      at += std::max<ptrdiff_t>(view.strides[i], 0) * ptrdiff_t(view.sizes[i] - 1);
    return at;
  };
  return a.region == b.region && from(a) < to(b) && from(b) < to(a);
}

// A state may be kept in place; else results overlap nothing, for the engine copies between them.
void checkOverlaps(const Sequences& of) {
  const std::optional<View> inputs[] = {of.x, of.lengths, of.h0, of.c0}, outputs[] = {of.y, of.hn, of.cn};
  const auto isSame = [](const View& a, const View& b) {
    return a.offset == b.offset && a.isDense() && b.isDense() && sameSizes(a, b);
  };
  for (size_t o = 0; o < 3; o++) {
    for (size_t i = 0; i < 4; i++)
      require(!outputs[o] || !inputs[i] || !overlap(*outputs[o], *inputs[i]) ||
              (o > 0 && i == o + 1 && isSame(*outputs[o], *inputs[i])));
    for (size_t other = 0; other < o; other++)
      require(!outputs[o] || !outputs[other] || !overlap(*outputs[o], *outputs[other]));
  }
}

} // namespace

std::unique_ptr<Instruction> decodeNetwork(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const NetworkSpec spec = readSpec(reader);
  Sequences of{reader.source(Element::float32), reader.maybeSource(Element::int32), {}, {}, {}, {}, {}};
  of.h0 = reader.maybeSource(Element::float32), of.c0 = reader.maybeSource(Element::float32);
  of.y = reader.maybeTarget(Element::float32);
  of.hn = reader.maybeTarget(Element::float32), of.cn = reader.maybeTarget(Element::float32);
  require(of.x.rank == 3);
  const size_t T = of.x.sizes[0], B = of.x.sizes[1], D = spec.directions(), O = spec.outputSize(),
               rows = spec.numLayers * D;
  require(T <= INT32_MAX && B <= INT32_MAX && of.x.sizes[2] == spec.inputSize);
  require(!of.lengths || (of.lengths->rank == 1 && of.lengths->sizes[0] == B));
  require(is(of.h0, rows, B, O) && is(of.hn, rows, B, O) && is(of.y, T, B, D * O));
  require(spec.traits().hasCellState || (!of.c0 && !of.cn));
  require(is(of.c0, rows, B, spec.hiddenSize) && is(of.cn, rows, B, spec.hiddenSize));
  checkOverlaps(of);
  return std::make_unique<NetworkInstruction>(spec, reader, memory, of);
}

} // namespace native_rnn
