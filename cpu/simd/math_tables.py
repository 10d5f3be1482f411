#!/usr/bin/env python3
"""Writes math_tables.h: the polynomial and table coefficients of math-inl.h. Needs mpmath.

    python3 cpu/simd/math_tables.py > cpu/simd/math_tables.h

Every fit minimises the largest relative error by reweighted least squares in 40 digits and rounds to f32 at the end.
"""
import struct
from mpmath import mp, mpf, matrix, qr_solve, cos, erfc, exp, log, pi, sqrt, tanh

mp.dps = 40


def literal(x):
    mantissa, exponent = struct.unpack("f", struct.pack("f", float(x)))[0].hex().split("p")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + "p" + exponent + "f"


def nodes(a, b, n):
    a, b = mpf(a), mpf(b)
    return [(a + b) / 2 - (b - a) / 2 * cos(pi * (i + mpf(1) / 2) / n) for i in range(n)]


def weighted(rows, target, weight, iterations):
    """c that minimises max |weight (rows c - target)|."""
    n, m = len(rows), len(rows[0])
    w, best = [mpf(1)] * n, None
    for _ in range(iterations):
        a, r = matrix(n, m), matrix(n, 1)
        for i in range(n):
            s = sqrt(w[i]) * weight[i]
            for j in range(m):
                a[i, j] = s * rows[i][j]
            r[i] = s * target[i]
        c = list(qr_solve(a, r)[0])
        e = [abs(weight[i] * (sum(p * q for p, q in zip(c, rows[i])) - target[i])) for i in range(n)]
        worst = max(e)
        if best is None or worst < best[0]:
            best = (worst, c)
        w = [u * (v / worst + mpf("0.01")) for u, v in zip(w, e)]
        total = sum(w)
        w = [u * n / total for u in w]
    return best[1]


def polynomial(f, a, b, powers, scale, count=48, iterations=30):
    """Coefficients of x^p, p in powers, of a fit to f on [a, b], error relative to scale(x)."""
    xs = nodes(a, b, count)
    rows = [[x**p for p in powers] for x in xs]
    return weighted(rows, [f(x) for x in xs], [1 / scale(x) for x in xs], iterations)


def rational(f, xs, top, bottom, iterations=40):
    """p (degree top), q (degree bottom, q0 = 1) with small relative error of p/q against f on xs."""
    n, y = len(xs), [f(x) for x in xs]
    w, q, best = [mpf(1)] * n, None, None
    for step in range(iterations):
        a, r = matrix(n, top + bottom + 1), matrix(n, 1)
        for i, x in enumerate(xs):
            s = sqrt(w[i]) / (y[i] * (1 if q is None else sum(c * x**j for j, c in enumerate(q))))
            for j in range(top + 1):
                a[i, j] = s * x**j
            for j in range(1, bottom + 1):
                a[i, top + j] = -s * y[i] * x**j
            r[i] = s * y[i]
        sol = qr_solve(a, r)[0]
        p = [sol[j] for j in range(top + 1)]
        q = [mpf(1)] + [sol[top + j] for j in range(1, bottom + 1)]
        e = [abs(sum(c * x**j for j, c in enumerate(p)) / sum(c * x**j for j, c in enumerate(q)) / v - 1)
             for x, v in zip(xs, y)]
        worst = max(e)
        if best is None or worst < best[0]:
            best = (worst, p, q)
        if step >= 3:
            w = [u * (v / worst + mpf("0.02")) for u, v in zip(w, e)]
            total = sum(w)
            w = [u * n / total for u in w]
    return best[1], best[2]


def segment_columns(f, centre, width, low, degree, count=32, fixed_zero=False):
    """Coefficients by segment: f(centre(i) + u) = sum c[k][i] u^k for u in [low(i), low(i) + width(i)]."""
    columns = [[mpf(0)] * 32 for _ in range(degree + 1)]
    for i in range(count):
        g = lambda u: f(centre(i) + u)
        powers = range(1, degree + 1) if fixed_zero and i == 0 else range(degree + 1)
        c = polynomial(g, low(i), low(i) + width(i), powers, g, count=30, iterations=15)
        for k, v in zip(powers, c):
            columns[k][i] = v
    return columns


def print_list(name, values, comment):
    print(f"// {comment}")
    print(f"inline constexpr float {name}[] = {{")
    print_rows(values, "    ")
    print("};\n")


def print_rows(values, indent):
    for i in range(0, len(values), 6):
        print(indent + ", ".join(literal(v) for v in values[i:i + 6]) + ("," if i + 6 < len(values) else ""))


def print_table(name, columns, comment):
    print(f"// {comment}")
    print(f"alignas(64) inline constexpr float {name}[{len(columns)}][32] = {{")
    for k, column in enumerate(columns):
        print("    {")
        print_rows(column, "        ")
        print("    }," if k + 1 < len(columns) else "    }")
    print("};\n")


def main():
    two, half = mpf(2), mpf(1) / 2
    print("// Coefficients of math-inl.h. Written by math_tables.py; do not edit.\n#pragma once\n")
    print("// clang-format off\nnamespace tandem::cpu {\n")

    r = log(two) / 2
    print_list("kExpPoly", polynomial(lambda x: exp(x) - 1, -r, r, range(1, 7), exp),
               "e^r - 1 = r (c0 + c1 r + ...) for |r| <= ln 2 / 2.")
    print_list("kExpShort", polynomial(lambda x: exp(x) - 1, -r / 32, r / 32, range(1, 3), exp),
               "The same for |r| <= ln 2 / 64; error 5e-8.")
    print_list("kExp2Short", polynomial(lambda x: two**x - 1, -half / 32, half / 32, range(1, 4), lambda x: two**x),
               "2^f - 1 = f (c0 + c1 f + ...) for |f| <= 1/64.")
    powers = [two**(mpf(i) / 32) for i in range(32)]
    print_table("kExp2Table", [powers], "2^(i/32).")
    biased = [struct.unpack("f", struct.pack("I", struct.unpack("I", struct.pack("f", float(p)))[0] - (i << 18) + (64 << 23)))[0]
              for i, p in enumerate(powers)]
    print_table("kExp2Biased", [biased],
                "2^(64 + i/32) with i << 18 taken off its pattern: adding (32 n + i) << 18 to it gives 2^(64 + n + i/32).")

    print_list("kLogPoly", polynomial(lambda x: (log(1 + x) - x) / x**2 if x else -half, sqrt(half) - 1, sqrt(two) - 1,
                                      range(0, 8), lambda x: abs(log(1 + x)) / x**2 if x else mpf(10)**9, count=64),
               "log(1 + u) = u + u^2 (c0 + c1 u + ...) for sqrt(1/2) <= 1 + u <= sqrt(2).")

    p, q = rational(lambda t: tanh(sqrt(t)) / sqrt(t), [x**2 for x in nodes(0, "9.02", 160)], 4, 4)
    print_list("kTanhTop", p, "tanh(x) = x p(x^2) / q(x^2) for |x| <= 9.02; error 2e-8.")
    print_list("kTanhBottom", q, "q of the same.")

    # z = |x| + 0.625 in [0.625, 10): 32 segments of 1/8 of a power of two; the index is three bits of mantissa and two
    # of exponent.
    start = struct.unpack("I", struct.pack("f", 0.625))[0]
    edge = [mpf(struct.unpack("f", struct.pack("I", start + (i << 20)))[0]) - mpf("0.625") for i in range(33)]
    columns = segment_columns(tanh, lambda i: edge[i], lambda i: edge[i + 1] - edge[i], lambda i: mpf(0), 4, fixed_zero=True)
    for k in range(5):
        columns[k][31] = mpf(1) if k == 0 else mpf(0)  # above 8.375, 1 is right within 2 ulp and is what infinity must give
    rotated = [[column[(i - (start >> 20)) % 32] for i in range(32)] for column in columns]
    print_table("kTanhSegments", rotated,
                "tanh(a + u) = c0 + c1 u + ..., a the low end of a segment of z = |x| + 0.625, by bits 20 to 24 of z.")

    # The last of the 32 segments is zero: that is where gelu_erf flushes to zero.
    quarter = mpf(1) / 4
    columns = segment_columns(lambda y: erfc(y / sqrt(two)) / 2, lambda i: i * quarter,
                              lambda i: quarter if i else quarter / 2, lambda i: -quarter / 2 if i else mpf(0), 5, count=31)
    print_table("kPhiSegments", columns, "Phi(-(i/4 + u)) = c0 + c1 u + ... for |u| <= 1/8, Phi the normal distribution function.")

    xs = [(x / sqrt(mpf("14.5")))**2 for x in nodes(0, "14.5", 140)]
    p, q = rational(lambda y: erfc(y / sqrt(two)) / 2 * exp(y * y / 2), xs, 4, 5)
    print_list("kMillsTop", p, "Phi(-y) e^(y^2/2) = p(y) / q(y) for 0 <= y <= 14.5; error 6e-9.")
    print_list("kMillsBottom", q, "q of the same.")
    print("}  // namespace tandem::cpu\n// clang-format on")


main()
