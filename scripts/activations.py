#!/usr/bin/env python3
"""Fits the polynomials of native/kernels/simd/activations.h and functions.h and prints their coefficients as float32, highest power first.

Minimax in the relative error, by Lawson's iteration (weighted least squares whose weights grow where the error is
large). Each coefficient is rounded to float32 in turn, the lowest power first, and the rest is fitted again.
Needs numpy. How well the vector code does with them is measured by test/numbers/accuracy.test.ts.
"""
import math

import numpy as np


def lawson(x, target, scale, powers, fixed):
    """Coefficients of sum c_i x^powers_i + fixed(x) near target, minimax in |error| * scale."""
    rows = np.stack([x**p for p in powers], axis=1) * scale[:, None]
    wanted = (target - fixed) * scale
    weights = np.ones_like(x) / len(x)
    for _ in range(200):
        root = np.sqrt(weights)
        c = np.linalg.lstsq(rows * root[:, None], wanted * root, rcond=None)[0]
        error = np.abs(rows @ c - wanted)
        weights *= error + 1e-30
        weights /= weights.sum()
    return c, error.max()


def fit(name, x, target, scale, degree):
    powers = list(range(degree + 1))
    done = []
    fixed = np.zeros_like(x)
    for p in powers:
        c, error = lawson(x, target, scale, powers[p:], fixed)
        rounded = np.float32(c[0])
        done.append(rounded)
        fixed = fixed + float(rounded) * x**p
    error = np.max(np.abs(fixed - target) * scale)
    print(f"{name}: relative error 2^{np.log2(error):.1f}")
    for c in reversed(done):
        print(f"  {c:.8e}f")


def chebyshev(low, high, count=4001):
    """Points between two ends, dense near both, from the upper one down."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.linspace(0, np.pi, count))


# e^r - 1 = r + r^2 P(r) on |r| <= ln 2 / 2, a little wider for the rounding of n; tanh near 0 is nothing but this.
r = chebyshev(-0.3470, 0.3470)
r = r[np.abs(r) > 1e-3]
fit("exp", r, (np.expm1(r) - r) / r**2, r**2 / np.abs(np.expm1(r)), 4)

# log(1 + e) = 2 artanh(t) = 2 t + 2 t^3 Q(t^2) with t = e / (2 + e), 0 < e <= 1.
t = chebyshev(0, 1 / 3)
t = t[t > 1e-2]
s = t**2
fit("log", s, (np.arctanh(t) - t) / t**3, t**3 / np.arctanh(t), 4)

# log(1 + f) = f - f^2 / 2 + f^3 P(f) between the square roots of 1 / 2 and 2.
f = chebyshev(np.sqrt(0.5) - 1.0001, np.sqrt(2) - 0.9999)
f = f[np.abs(f) > 1e-2]
fit("log of any", f, (np.log1p(f) - f + f**2 / 2) / f**3, np.abs(f**3 / np.log1p(f)), 7)

# erf(x) = x + x P(x^2) on [0, 1]; the reference is the series by powers, of which 40 terms are exact there.
x = chebyshev(1e-2, 1)
erf = sum((-1.0) ** n * x ** (2 * n + 1) / (math.factorial(n) * (2 * n + 1)) for n in range(40)) * 2 / np.sqrt(np.pi)
fit("erf", x**2, erf / x - 1, x / erf, 6)

# Phi(-x) = e^(-x^2 / 2) P(t) / (1 + 2 x) with t = (x - 4) / (x + 4), 0 <= x <= 15 (Shepherd and Laframboise, 1981).
x = chebyshev(0, 15, 3001)
scaled = (1 + 2 * x) * np.array([math.erfc(v / math.sqrt(2)) * math.exp(v * v / 2) / 2 for v in x])
fit("Phi", (x - 4) / (x + 4), scaled, 1 / scaled, 10)

# sin(r) = r + r^3 P(r^2), cos(r) = 1 - r^2 / 2 + r^4 P(r^2) on |r| <= pi / 4, a little wider for the rounding of n.
r = chebyshev(1e-1, 0.7860)
fit("sin", r**2, (np.sin(r) - r) / r**3, r**3 / np.sin(r), 2)
fit("cos", r**2, (np.cos(r) - 1 + r**2 / 2) / r**4, r**4 / np.cos(r), 2)
