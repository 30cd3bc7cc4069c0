# The shortest path on the paraboloid (z, |z|^2 / 2) between two points, by the boundary value problem of the geodesic
# equation with the metric I + z z^T, whose Christoffel symbols are Gamma^k_ij = z_k delta_ij / (1 + |z|^2).
import numpy as np
from scipy.integrate import quad, solve_bvp

a, b = np.array([1.5, 0.0]), np.array([-0.6, 1.2])


def slope(t, y):
    z, v = y[:2], y[2:]
    speed = (v * v).sum(0)
    return np.vstack([v, -z * speed / (1 + (z * z).sum(0))])


t = np.linspace(0, 1, 401)
start = np.vstack([a[:, None] * (1 - t) + b[:, None] * t, np.tile((b - a)[:, None], t.size)])
found = solve_bvp(slope, lambda p, q: np.hstack([p[:2] - a, q[:2] - b]), t, start, tol=1e-10, max_nodes=200000)
assert found.success


def speed(t):
    y = found.sol(t)
    z, v = y[:2], y[2:]
    return np.sqrt(v @ v + (z @ v) ** 2)


print(repr(quad(speed, 0, 1, epsabs=1e-12, limit=500)[0]))
