"""What scikit-learn's GaussianMixture makes of points in a plane, for Tests/LatentModelsTests/Samplers.

Points are sums of hashed uniform numbers, exact in any language but for the last bits.
    python mixtures.py
"""
import numpy as np
from sklearn.mixture import GaussianMixture


def uniform(stream, count):
    h = (np.arange(count, dtype=np.uint64) + (stream + 1) * 0x9E3779B1) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h ^= h >> shift
        h = (h * factor) & 0xFFFFFFFF
    h ^= h >> 16
    return (h >> 8) / 2.0**24


def points(count=600):
    """Three clouds that touch: twelve uniform numbers less six are nearly normal."""
    noise = uniform(77, count * 24).reshape(count, 2, 12).sum(axis=2) - 6
    index = np.arange(count)
    cloud = np.where(index % 6 < 3, 0, np.where(index % 6 < 5, 1, 2))
    centers = np.array([[0.0, 0.0], [3.0, 1.0], [-1.0, 4.0]])
    factors = np.array([[[1, 0], [0.6, 0.7]], [[0.5, 0], [-0.3, 0.9]], [[0.8, 0], [0, 0.4]]])
    return centers[cloud] + np.einsum("nij,nj->ni", factors[cloud], noise)


x = points()
fit = GaussianMixture(3, tol=1e-13, max_iter=100_000, reg_covar=1e-6, random_state=0).fit(x)
order = np.argsort(fit.means_[:, 0])
for name, value in (
    ("weights", fit.weights_[order]), ("means", fit.means_[order]),
    ("covariances", fit.covariances_[order]), ("log-likelihood", np.array([fit.score(x)])),
):
    print(name, [float(v) for v in np.ravel(value)])
