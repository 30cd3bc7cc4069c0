"""Reference numbers for Tests/LatentDistributionsTests/{AxialDistribution,PoincareBall,Student}Tests.swift, by quadrature
with mpmath and from SciPy.

    python3 scripts/references/manifolds.py
"""

from mpmath import mp, mpf, beta, cos, exp, inf, log, pi, quad, sin, sinh, sqrt, gamma
from scipy import stats

mp.dps = 30


def number(x):
    return mp.nstr(x, 15)


def axial(m, k, statistic):
    """Mean cosine and divergence from the uniform distribution."""
    ring = lambda a: sin(a) ** (m - 2)
    points = [0, pi / 50, pi / 12, pi / 4, pi / 2, pi]
    area = quad(ring, points)
    weight = lambda a: ring(a) * exp(k * statistic(a))
    mass = quad(weight, points)
    mean = quad(lambda a: weight(a) * statistic(a), points) / mass
    cosine = quad(lambda a: weight(a) * cos(a), points) / mass
    return cosine, k * mean - log(mass / area)


for name, statistic in [
    ("vmf", lambda a: cos(a) - 1),
    ("power spherical", lambda a: 2 * log(cos(a / 2)) if a < pi else mpf(-1000)),
]:
    for m, k in [(2, 1), (3, 1), (3, 10), (5, 2), (11, 50), (50, 100), (100, 1), (1000, 1)]:
        print(name, m, k, *[number(x) for x in axial(m, mpf(k), statistic)])


def normalizer(s, c, d):
    root = sqrt(mpf(c))
    f = lambda r: exp(-r * r / (2 * s * s)) * (sinh(root * r) / root) ** (d - 1)
    top = (d - 1) * root * s * s + 30 * s
    return quad(f, [top * k / 24 for k in range(25)])


for s, c, d in [("1", 1, 2), ("1", 1, 5), ("0.3", 2, 3), ("0.01", 1, 10), ("5", 1, 3), ("0.7", "0.5", 1)]:
    print("Z", s, c, d, mp.nstr(normalizer(mpf(s), mpf(c), d), 17))

for df in [3.5, 10, 1e6]:
    shape = [[0.49, 0], [0, 2.25]]
    t = stats.multivariate_t([0.3, -0.2], shape, df=df)
    print("student", df, repr(t.logpdf([1.5, 2.0])), repr(t.entropy()))
