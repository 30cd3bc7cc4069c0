"""Prints Sources/CLatentKernels/elementwise/gelu_tables.h: polynomials for GELU in float32.

With tail(a) = erfc(a / sqrt 2) / 2 and the normal density phi, GELU is max(x, 0) - |x| tail(|x|)
(Hendrycks and Gimpel 2016), and its slope is fall(a) = tail(a) - a phi(a) at -a and 1 - fall(a) at a.
Both functions of a are cut into intervals of 3/16 around multiples of it. Each has a polynomial that
interpolates at the zeros of a Chebyshev polynomial, found with 50 digits.

    python3 scripts/references/gelu.py > Sources/CLatentKernels/elementwise/gelu_tables.h    (needs mpmath)
"""

from mpmath import chop, cos, erfc, exp, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 50
WIDTH, INTERVALS, DEGREE = mpf(3) / 16, 32, 6


def tail(a):
    return erfc(a / sqrt(2)) / 2


def fall(a):
    return tail(a) - a * exp(-a * a / 2) / sqrt(2 * pi)


def polynomial(f, centre):
    nodes = [WIDTH / 2 * cos(pi * (2 * i + 1) / (2 * DEGREE + 2)) for i in range(DEGREE + 1)]
    powers = matrix([[x**k for k in range(DEGREE + 1)] for x in nodes])
    return lu_solve(powers, matrix([f(centre + x) for x in nodes]))


def table(name, f):
    rows = [polynomial(f, i * WIDTH) for i in range(INTERVALS)]
    print(f"static const float {name}[GELU_DEGREE + 1][GELU_INTERVALS] = {{")
    for k in range(DEGREE + 1):
        values = [mp.nstr(chop(row[k], mpf("1e-40")), 9, min_fixed=0, max_fixed=0) + "f" for row in rows]
        print("    {" + ",\n     ".join(", ".join(values[i : i + 5]) for i in range(0, 32, 5)) + "},")
    print("};")


print("// Made by scripts/references/gelu.py, which tells what they are. Row k holds the coefficients of")
print("// (a - i width)^k for all intervals i.")
print()
print(f"enum {{ GELU_INTERVALS = {INTERVALS}, GELU_DEGREE = {DEGREE} }};")
print()
print(f"static const float gelu_width = {mp.nstr(WIDTH, 9)}f;")
print()
table("gelu_tail", tail)
print()
table("gelu_fall", fall)
