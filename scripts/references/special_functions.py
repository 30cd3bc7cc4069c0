"""Reference numbers for Tests/LatentNumericsTests/SpecialFunctionTests.swift, from mpmath with 50 digits.

    python3 scripts/references/special_functions.py

Prints Swift rows. SciPy 1.17 agrees where its double precision reaches (it underflows beyond).
"""

from mpmath import mp, mpf, besseli, digamma, log, loggamma, polygamma

mp.dps = 50


def number(x):
    return mp.nstr(x, 17, min_fixed=-4, max_fixed=6)


print("// order, x, log I - x, ratio, 1 - ratio, derivative of the ratio")
for order in ["0", "0.5", "1", "1.5", "4", "24", "49.5", "99.5", "100", "250.5", "499", "1000"]:
    for x in ["1e-6", "0.3", "2", "31", "700", "2e4", "1e8"]:
        v, t = mpf(order), mpf(x)
        mp.dps = 80
        below, above = besseli(v, t), besseli(v + 1, t)
        ratio = above / below
        slope = 1 - ratio**2 - (2 * v + 1) * ratio / t
        print(f"  [{order}, {x}, {number(log(below) - t)}, {number(ratio)}, {number(1 - ratio)}, {number(slope)}],")
        mp.dps = 50

print("// x, digamma, trigamma, polygamma 2, polygamma 3")
for x in ["1e-3", "0.25", "1", "1.5", "6", "19.99", "20", "300.5", "1e8"]:
    t = mpf(x)
    print(f"  [{x}, " + ", ".join(number(polygamma(n, t)) for n in range(4)) + "],")

print("// x, shift, difference of log Gamma, digamma, trigamma")
for x, shift in [("0.5", "0.5"), ("2", "30"), ("10", "0.5"), ("1000", "1.5"), ("1e8", "4.5"), ("5", "1e6")]:
    t, s = mpf(x), mpf(shift)
    row = [loggamma(t + s) - loggamma(t)] + [polygamma(n, t + s) - polygamma(n, t) for n in (0, 1)]
    print(f"  [{x}, {shift}, " + ", ".join(number(r) for r in row) + "],")
