#!/usr/bin/env python3
"""Reference numbers for Tests/LatentEvaluationTests/Samples*Tests.swift and OutliersROCTests.swift.

    pip install numpy scipy scikit-learn torch prdc h5py
    python3 scripts/references/samples.py > Tests/LatentEvaluationTests/Resources/samples.json

Frechet distances by SciPy's general matrix root, kernels and cosines by scikit-learn, precision, recall, density and
coverage by their authors' package, tests of ranks by SciPy, curves by scikit-learn, and the feature network by PyTorch
from the file that the library ships.
"""

import contextlib
import json
import sys

import h5py
import numpy
import scipy.linalg
import scipy.spatial.distance
import scipy.stats
import sklearn.metrics
import torch
from prdc import compute_prdc
from sklearn.metrics.pairwise import cosine_similarity, polynomial_kernel

random = numpy.random.default_rng(5)


def frechet(x, y):
    root = scipy.linalg.sqrtm(numpy.cov(x.T) @ numpy.cov(y.T))
    shift = x.mean(0) - y.mean(0)
    return float(shift @ shift + numpy.trace(numpy.cov(x.T) + numpy.cov(y.T) - 2 * root.real))


def kernel(x, y):
    n, m = len(x), len(y)
    a, b, c = polynomial_kernel(x), polynomial_kernel(y), polynomial_kernel(x, y)
    return float((a.sum() - a.trace()) / (n * (n - 1)) + (b.sum() - b.trace()) / (m * (m - 1)) - 2 * c.mean())


def vendi(x):
    values = numpy.linalg.svd(cosine_similarity(x) / len(x), compute_uv=False)
    values = values[values > 0]
    return float(numpy.exp(-(values * numpy.log(values)).sum()))


def transport(x, y):
    """Both lists repeated to a common length."""
    length = numpy.lcm(len(x), len(y))
    a, b = (numpy.repeat(numpy.sort(v), length // len(v)) for v in (x, y))
    return float(((a - b) ** 2).mean())


def authentic(train, fake):
    to = scipy.spatial.distance.cdist(fake, train)
    own = scipy.spatial.distance.cdist(train, train)
    numpy.fill_diagonal(own, numpy.inf)
    nearest = to.argmin(1)
    return float((own.min(1)[nearest] < to.min(1)).mean())


def rank_score(first, second):
    test = scipy.stats.mannwhitneyu(first, second, use_continuity=False, alternative="less", method="asymptotic")
    return float(scipy.stats.norm.ppf(test.pvalue))


def delong(inliers, outliers):
    order = (outliers[:, None] > inliers[None, :]) + 0.5 * (outliers[:, None] == inliers[None, :])
    return float(numpy.sqrt(order.mean(0).var(ddof=1) / len(inliers) + order.mean(1).var(ddof=1) / len(outliers)))


def false_acceptance(inliers, outliers):
    """The strange examples that pass, at the first point of the curve where 95 % of ordinary ones do."""
    labels = numpy.r_[numpy.ones(len(inliers)), numpy.zeros(len(outliers))]
    false, true, _ = sklearn.metrics.roc_curve(labels, -numpy.r_[inliers, outliers], drop_intermediate=False)
    return float(false[numpy.argmax(true >= 0.95 - 1e-12)])


def network(pictures):
    """`latent-features-1` on pictures [batch, 32, 32, 3] between -1 and 1, in float64."""
    with h5py.File("Sources/CLatentFeatures/latent-features-1.h5") as file:
        weights = {name: torch.tensor(file[name][()]).double() for name in file if name != "about"}
    x = torch.tensor(pictures).permute(0, 3, 1, 2)
    for layer in range(3):
        weight = weights[f"convolutions.{layer}.weight"].permute(0, 3, 1, 2)
        x = torch.nn.functional.conv2d(x, weight, weights[f"convolutions.{layer}.bias"], stride=2, padding=1)
        x = torch.nn.functional.silu(x)
    x = x.permute(0, 2, 3, 1).flatten(1)
    return (x @ weights["projection.weight"].T + weights["projection.bias"]).tolist()


def waves(count):
    positions = numpy.arange(count * 32 * 32 * 3)
    return numpy.round(127.5 + 127.5 * numpy.sin(0.37 * positions)).reshape(count, 32, 32, 3) / 255


x = random.normal(size=(40, 5)) @ random.normal(size=(5, 5))
y = random.normal(size=(36, 5)) @ random.normal(size=(5, 5)) + 0.3
wide_x, wide_y = random.normal(size=(7, 12)), random.normal(size=(9, 12)) * 1.3
near = numpy.r_[x[:10] + 0.01, random.normal(size=(20, 5))]
inliers = numpy.round(random.normal(size=60), 1)
outliers = numpy.round(random.normal(size=45) + 1, 1)
# The package prints.
with contextlib.redirect_stdout(sys.stderr):
    prdc3, prdc5 = (compute_prdc(x, y, nearest_k=k) for k in (3, 5))


def distances(sample):
    return scipy.spatial.distance.cdist(sample, x).min(1)


sys.stdout.write(json.dumps({
    "x": x.tolist(), "y": y.tolist(), "wideX": wide_x.tolist(), "wideY": wide_y.tolist(), "near": near.tolist(),
    "frechet": frechet(x, y), "frechetWide": frechet(wide_x, wide_y),
    "kernel": kernel(x, y),
    "precision": prdc3["precision"], "recall": prdc3["recall"],
    "density": prdc5["density"], "coverage": prdc5["coverage"],
    "vendi": vendi(y), "vendiWide": vendi(wide_y),
    "transport": transport(x[:, 0], y[:, 1]),
    "authentic": authentic(x, near),
    "copying": rank_score(distances(near), distances(y)),
    "inliers": inliers.tolist(), "outliers": outliers.tolist(),
    "auroc": float(sklearn.metrics.roc_auc_score(
        numpy.r_[numpy.zeros(len(inliers)), numpy.ones(len(outliers))], numpy.r_[inliers, outliers])),
    "aurocError": delong(inliers, outliers),
    "falseAcceptance": false_acceptance(inliers, outliers),
    "middle": float(numpy.mean([v for v in x.ravel() if numpy.percentile(x, 7, method="lower") <= v
                                <= numpy.percentile(x, 93, method="higher")])),
    "features": network(2 * waves(2) - 1),
}) + "\n")
