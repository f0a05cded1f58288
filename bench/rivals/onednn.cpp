// oneDNN's recurrent primitives called from C++, one thread, inference, f32 or an LSTM on integers of 8 bits: loads a
// layer, runs it, times it, as asked over stdin. Weights and gates come in PyTorch's order; knows how oneDNN wants
// them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

using namespace dnnl;
using tag = memory::format_tag;
using Floats = std::vector<float>;

static const engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

static Floats readFloats(size_t count) {
  Floats values(count);
  if (fread(values.data(), sizeof(float), count, stdin) != count)
    throw std::runtime_error("input ended early");
  return values;
}

using type = memory::data_type;
static memory::desc plain(memory::dims dims, tag format, type of = type::f32) { return {dims, of, format}; }

// x and h as integers of 8 bits: what lies within ±1 becomes 1 … 255.
static const float dataScale = 127, dataShift = 128;
// The largest integer of a row of weights: with 127 the sums of two products saturate where there is no VNNI.
static const float largestWeight = 64;

static memory filled(const memory::desc& desc, const Floats& values) {
  memory m(desc, cpu);
  memcpy(m.get_data_handle(), values.data(), values.size() * sizeof(float));
  return m;
}

static memory zeros(const memory::desc& desc) {
  memory m(desc, cpu);
  memset(m.get_data_handle(), 0, desc.get_size());
  return m;
}

class Layer {
public:
  Layer(const std::string& cell, memory::dim I, memory::dim H, memory::dim T, memory::dim B, bool feedback,
        const Floats& weightIh, const Floats& weightHh, const Floats& biasIh, const Floats& biasHh, bool quantized)
      : I(I), H(H), T(T), B(B), lstm(cell == "lstm"), feedback(feedback), quantized(quantized) {
    if (quantized && !lstm)
      throw std::runtime_error("only an LSTM is computed with integers");
    const memory::dim G = cell == "rnn" ? 1 : lstm ? 4 : 3;
    // oneDNN's gate g is PyTorch's gate order[g]: lbr_gru is z r n and a bias of its own for n's recurrent part.
    std::vector<int> order = cell == "gru" ? std::vector<int>{1, 0, 2} : std::vector<int>{0, 1, 2, 3};
    order.resize(G);
    const memory::dim biasGates = cell == "gru" ? 4 : G;
    Floats bias(biasGates * H);
    for (memory::dim g = 0; g < G; g++) {
      for (memory::dim u = 0; u < H; u++) {
        const float in = biasIh[order[g] * H + u], hidden = biasHh[order[g] * H + u];
        bias[g * H + u] = cell == "gru" && g == 2 ? in : in + hidden;
        if (cell == "gru" && g == 2)
          bias[3 * H + u] = hidden;
      }
    }

    const type data = quantized ? type::u8 : type::f32;
    auto any = [&](memory::dims dims) { return plain(dims, tag::any, quantized ? type::s8 : type::f32); };
    const auto srcLayer = plain({T, B, I}, tag::tnc, data), dstLayer = plain({T, B, H}, tag::tnc);
    const auto iter = plain({1, 1, B, H}, tag::ldnc, data), cellIter = plain({1, 1, B, H}, tag::ldnc);
    const auto srcIter = feedback ? iter : memory::desc(), srcCell = feedback ? cellIter : memory::desc();
    if (quantized)
      setScales(weightIh, weightHh, order);
    const auto wLayer = any({1, 1, I, G, H}), wIter = any({1, 1, H, G, H});
    const auto biasDesc = plain({1, 1, biasGates, H}, tag::ldgo);
    const auto kind = prop_kind::forward_inference;
    const auto direction = rnn_direction::unidirectional_left2right;
    if (cell == "rnn") {
      use(vanilla_rnn_forward::primitive_desc(vanilla_rnn_forward::desc(kind, algorithm::eltwise_tanh, direction,
                                                                        srcLayer, srcIter, wLayer, wIter, biasDesc,
                                                                        dstLayer, iter),
                                              cpu),
          weightIh, weightHh, order);
    } else if (lstm) {
      use(lstm_forward::primitive_desc(lstm_forward::desc(kind, direction, srcLayer, srcIter, srcCell, wLayer, wIter,
                                                          biasDesc, dstLayer, iter, cellIter),
                                       attributes, cpu),
          weightIh, weightHh, order);
    } else {
      use(lbr_gru_forward::primitive_desc(
              lbr_gru_forward::desc(kind, direction, srcLayer, srcIter, wLayer, wIter, biasDesc, dstLayer, iter), cpu),
          weightIh, weightHh, order);
    }

    src = zeros(srcLayer);
    dst = zeros(dstLayer);
    for (int side = 0; side < 2; side++) {
      h[side] = zeros(iter);
      c[side] = zeros(cellIter);
    }
    common = {{DNNL_ARG_SRC_LAYER, src},
              {DNNL_ARG_WEIGHTS_LAYER, weightsLayer},
              {DNNL_ARG_WEIGHTS_ITER, weightsIter},
              {DNNL_ARG_BIAS, filled(biasDesc, bias)},
              {DNNL_ARG_DST_LAYER, dst}};
    for (int side = 0; side < 2; side++) {
      arguments[side] = common;
      if (feedback)
        arguments[side].insert({DNNL_ARG_SRC_ITER, h[side]});
      arguments[side].insert({DNNL_ARG_DST_ITER, h[1 - side]});
      if (lstm && feedback)
        arguments[side].insert({DNNL_ARG_SRC_ITER_C, c[side]});
      if (lstm)
        arguments[side].insert({DNNL_ARG_DST_ITER_C, c[1 - side]});
    }
  }

  // The frames one after another from a state of zeros; what each gave.
  Floats outputs(const Floats& frames) {
    for (int side = 0; side < 2; side++) {
      memset(h[side].get_data_handle(), quantized ? int(dataShift) : 0, h[side].get_desc().get_size());
      memset(c[side].get_data_handle(), 0, B * H * sizeof(float));
    }
    at = 0;
    Floats all;
    const size_t frame = T * B * I;
    for (size_t start = 0; start < frames.size(); start += frame) {
      read(&frames[start]);
      once();
      const float* y = static_cast<const float*>(dst.get_data_handle());
      all.insert(all.end(), y, y + T * B * H);
    }
    return all;
  }

  // A frame of floats, as integers where these are computed with.
  void read(const float* frame) {
    const size_t count = T * B * I;
    if (quantized) {
      uint8_t* const integers = static_cast<uint8_t*>(src.get_data_handle());
      for (size_t i = 0; i < count; i++)
        integers[i] = uint8_t(std::min(std::max(frame[i] * dataScale + (dataShift + 0.5f), 0.0f), 255.0f));
    } else {
      memcpy(src.get_data_handle(), frame, count * sizeof(float));
    }
  }

  void once() {
    cell.execute(queue, arguments[at]);
    queue.wait();
    if (feedback)
      at = 1 - at;
  }

  // What a program does that has a frame of floats: only integers have to be made of it.
  void again(const float* frame) {
    if (quantized)
      read(frame);
    once();
  }

private:
  template <class Desc>
  void use(const Desc& desc, const Floats& weightIh, const Floats& weightHh, const std::vector<int>& order) {
    cell = primitive(desc);
    weightsLayer = packed(desc.weights_layer_desc(), weightIh, I, order);
    weightsIter = packed(desc.weights_iter_desc(), weightHh, H, order);
  }

  // oneDNN has one scale for the rows of both matrices that make a sum.
  void setScales(const Floats& weightIh, const Floats& weightHh, const std::vector<int>& order) {
    Floats scales;
    for (const int gate : order)
      for (memory::dim u = 0; u < H; u++) {
        const memory::dim row = gate * H + u;
        float most = 0;
        for (memory::dim k = 0; k < I; k++)
          most = std::max(most, std::fabs(weightIh[row * I + k]));
        for (memory::dim k = 0; k < H; k++)
          most = std::max(most, std::fabs(weightHh[row * H + k]));
        scales.push_back(most > 0 ? largestWeight / most : 1);
      }
    attributes.set_rnn_data_qparams(dataScale, dataShift);
    attributes.set_rnn_weights_qparams((1 << 3) | (1 << 4), scales); // of (layer, direction, input, gate, unit)
  }

  // PyTorch's (G·H, K) in the layout that the primitive asked for.
  memory packed(const memory::desc& wanted, const Floats& weights, memory::dim K, const std::vector<int>& order) {
    const memory::dim G = order.size();
    Floats turned(K * G * H);
    for (memory::dim k = 0; k < K; k++)
      for (memory::dim g = 0; g < G; g++)
        for (memory::dim u = 0; u < H; u++)
          turned[(k * G + g) * H + u] = weights[(order[g] * H + u) * K + k];
    memory from = filled(plain({1, 1, K, G, H}, tag::ldigo), turned), to(wanted, cpu);
    reorder(reorder::primitive_desc(from, to, attributes)).execute(queue, from, to);
    queue.wait();
    return to;
  }

  using Arguments = std::unordered_map<int, memory>;
  memory::dim I, H, T, B;
  bool lstm, feedback, quantized;
  primitive_attr attributes;
  primitive cell;
  memory src, dst, h[2], c[2], weightsLayer, weightsIter;
  Arguments common, arguments[2];
  int at = 0;
};

int main() {
  std::unique_ptr<Layer> layer;
  Floats frames;
  char line[256], cell[16], how[16];
  long I, H, T, B, steps, calls;
  int feedback;
  while (fgets(line, sizeof line, stdin)) {
    try {
      how[0] = 0;
      if (sscanf(line, "load %15s %ld %ld %ld %ld %ld %d %15s", cell, &I, &H, &T, &B, &steps, &feedback, how) >= 7) {
        const long G = !strcmp(cell, "rnn") ? 1 : !strcmp(cell, "lstm") ? 4 : 3;
        const Floats weightIh = readFloats(G * H * I), weightHh = readFloats(G * H * H);
        const Floats biasIh = readFloats(G * H), biasHh = readFloats(G * H);
        frames = readFloats(steps * T * B * I);
        layer = std::make_unique<Layer>(cell, I, H, T, B, feedback, weightIh, weightHh, biasIh, biasHh,
                                        !strcmp(how, "quantized"));
        const dnnl_version_t* v = dnnl_version();
        printf("oneDNN %d.%d.%d\n", v->major, v->minor, v->patch);
      } else if (!strncmp(line, "check", 5)) {
        const Floats y = layer->outputs(frames);
        printf("floats %zu\n", y.size());
        fwrite(y.data(), sizeof(float), y.size(), stdout);
      } else if (sscanf(line, "time %ld", &calls) == 1) {
        const auto start = std::chrono::steady_clock::now();
        for (long i = 0; i < calls; i++)
          layer->again(frames.data());
        printf("%.0f\n", std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
      } else {
        printf("error: unknown request\n");
      }
    } catch (const std::exception& problem) {
      printf("error: %s\n", problem.what());
    }
    fflush(stdout);
  }
}
