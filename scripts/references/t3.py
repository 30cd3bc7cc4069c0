"""Reference numbers for Tests/LatentModelsTests/Objectives/T3Tests.swift, by quadrature with SciPy.

    python3 scripts/references/t3.py

One number x, one latent z. The gamma-power divergence between q(z|x) p_data(x) and the joint Student's t is
E_q[p^gamma] / |p|^gamma - |q|, where |f| is (integral of f^(1 + gamma))^(1 / (1 + gamma)). The integrals are taken as
they stand, of densities from SciPy, for a given x: that over the data in |q| is left out. The sum is scaled so that the
factor of |x - mean|^2 / (2 sigma^2) in it is 1, which is what the closed form has.
"""

import math

import numpy as np
from scipy.stats import t as student

nodes, weights = np.polynomial.legendre.leggauss(400)
# All of a line by x = tan(angle): heavy tails become ends of an interval.
angles, weights = nodes * math.pi / 2, weights * math.pi / 2
line, weights = np.tan(angles), weights / np.cos(angles) ** 2


def joint(x, z, decoded, sigma, nu):
    scale = sigma * np.sqrt((1 + z * z / nu) / (1 + 1 / nu))
    return student.pdf(z, nu) * student.pdf(x, nu + 1, decoded, scale)


for nu, sigma, m, s, x in [(8, 1, 0.4, 0.8, 1.5), (10, 0.5, -0.3, 0.2, 0.1), (14, 2, 1, 1.5, -3)]:
    power = -2 / (nu + 2)
    q = lambda z: student.pdf(z, nu + 1, m, s)
    points = m + s * line
    cross = np.sum(s * weights * q(points) * joint(x, points, 2 * points + 0.1, sigma, nu) ** power)
    y, z = np.meshgrid(sigma * line, line)
    norm = np.sum(np.outer(weights, sigma * weights) * joint(y, z, 0, sigma, nu) ** (1 + power))
    norm_q = np.sum(s * weights * q(points) ** (1 + power)) ** (1 / (1 + power))
    unit = joint(0, 0, 0, sigma, nu) ** power / nu / norm ** (power / (1 + power))
    loss = (cross / norm ** (power / (1 + power)) - norm_q) / unit / 2
    # The draw is averaged over: E |x - 2 z - 0.1|^2.
    distance = (x - 2 * m - 0.1) ** 2 + 4 * s * s * (nu + 1) / (nu - 1)
    print(nu, sigma, m, s, repr(distance), repr(loss))
