// The table of the functions over plain arrays, for a vector type.
#pragma once
#include "products.h"
#include "reduce.h"

namespace {

template <class V, size_t F>
constexpr void fillMap(OpKernels& table) {
  if constexpr (MapFunction(F) != MapFunction::logicalNot) {
    table.map[F] = map<V, MapFunction(F)>;
    fillMap<V, F + 1>(table);
  }
}

template <class V, ZipFunction F>
constexpr void fillZip(OpKernels& table) {
  auto& row = table.zip[size_t(F)];
  row[size_t(Operands::both)] = zip<V, F, Operands::both>;
  row[size_t(Operands::oneA)] = zip<V, F, Operands::oneA>;
  row[size_t(Operands::oneB)] = zip<V, F, Operands::oneB>;
}
template <float (*of)(float, float)>
constexpr void fillZipSingly(OpKernels& table, ZipFunction function) {
  auto& row = table.zip[size_t(function)];
  row[size_t(Operands::both)] = zipSingly<of, Operands::both>;
  row[size_t(Operands::oneA)] = zipSingly<of, Operands::oneA>;
  row[size_t(Operands::oneB)] = zipSingly<of, Operands::oneB>;
}

template <size_t C>
constexpr void fillCompare(OpKernels& table) {
  if constexpr (C < comparisons) {
    constexpr ZipFunction F = ZipFunction(size_t(ZipFunction::equal) + C);
    table.compare[C][size_t(Operands::both)] = compare<F, Operands::both>;
    table.compare[C][size_t(Operands::oneA)] = compare<F, Operands::oneA>;
    table.compare[C][size_t(Operands::oneB)] = compare<F, Operands::oneB>;
    fillCompare<C + 1>(table);
  }
}

template <class V, size_t R>
constexpr void fillReductions(OpKernels& table) {
  if constexpr (R < reductions) {
    table.reduce[R] = reduce<V, Reduction(R)>;
    if constexpr (Reduction(R) != Reduction::logSumExp)
      table.fold[R] = fold<V, Reduction(R)>;
    fillReductions<V, R + 1>(table);
  }
}

template <class V>
constexpr OpKernels makeOpKernels() {
  OpKernels table{};
  fillMap<V, 0>(table);
  using Fn = ZipFunction;
  fillZip<V, Fn::add>(table), fillZip<V, Fn::sub>(table), fillZip<V, Fn::mul>(table), fillZip<V, Fn::div>(table);
  fillZip<V, Fn::min>(table), fillZip<V, Fn::max>(table), fillZip<V, Fn::prelu>(table);
  fillZipSingly<fmodOf>(table, Fn::fmod);
  fillZipSingly<powOf>(table, Fn::pow);
  table.zip[size_t(Fn::pow)][size_t(Operands::oneB)] = powOfMany<V>;
  fillCompare<0>(table);
  fillReductions<V, 0>(table);
  table.softmax = softmax<V>;
  table.norm = norm<V>;
  table.matmul = matmul<V>;
  table.depthwise = depthwise<V>;
  table.depthwiseInt8 = depthwiseInt8<V>;
  return table;
}

} // namespace
