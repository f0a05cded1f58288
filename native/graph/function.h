// A function of one value with its factors, as an instruction applies it to what it made.
#pragma once
#include "../kernels/kernels.h"
#include "../spec/map_function.h"

namespace native_rnn {

struct Function {
  void (*kernel)(const float* x, float* y, size_t n, float alpha, float beta) = nullptr; // null: none
  float alpha = 0, beta = 0;
  MapFunction kind{};

  explicit operator bool() const { return kernel != nullptr; }
  void operator()(const float* x, float* y, size_t n) const { kernel(x, y, n, alpha, beta); }
};

} // namespace native_rnn
