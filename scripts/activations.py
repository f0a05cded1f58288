#!/usr/bin/env python3
"""Fits the polynomials of native/kernels/simd/activations.h and prints their coefficients as float32, highest power first.

Minimax in the relative error, by Lawson's iteration (weighted least squares whose weights grow where the error is
large). Each coefficient is rounded to float32 in turn, the lowest power first, and the rest is fitted again.
Needs numpy. How well the vector code does with them is measured by test/numbers/accuracy.test.ts.
"""
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


# e^r - 1 = r + r^2 P(r) on |r| <= ln 2 / 2, a little wider for the rounding of n; tanh near 0 is nothing but this.
r = np.cos(np.linspace(0, np.pi, 4001)) * 0.3470
r = r[np.abs(r) > 1e-3]
fit("exp", r, (np.expm1(r) - r) / r**2, r**2 / np.abs(np.expm1(r)), 4)

# log(1 + e) = 2 artanh(t) = 2 t + 2 t^3 Q(t^2) with t = e / (2 + e), 0 < e <= 1.
t = (1 + np.cos(np.linspace(0, np.pi, 4001))) / 6
t = t[t > 1e-2]
s = t**2
fit("log", s, (np.arctanh(t) - t) / t**3, t**3 / np.arctanh(t), 4)
