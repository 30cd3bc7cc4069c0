"""Reference numbers for Tests/LatentModelsTests/Objectives/FeatureObjectiveTests.swift, from PyTorch in float64.

    python3 scripts/references/features.py

A variational autoencoder of pictures and a convolutional network that it is looked through: losses, and of the
derivative by each weight the sum of squares and the product with a wave. Weights, noise and pictures follow from a
rule that the test repeats. Then Gram matrices and the alignment of codes by themselves, and where SciPy's L-BFGS
ends.
"""

import math

import numpy
import scipy.optimize
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def waves(shape, start):
    return torch.tensor([math.sin(1.7 * i + start) for i in range(math.prod(shape))]).reshape(shape)


# The model: 8 x 8 x 2 pictures, hidden layers of 6, two latents, a Bernoulli likelihood; in visiting order.
shapes = [[6, 128], [6], [4, 6], [4], [6, 2], [6], [128, 6], [128]]
parameters = [(0.3 * waves(s, i + 1)).requires_grad_() for i, s in enumerate(shapes)]
# The network that is looked through: convolutions of kernel 4, stride 2, padding 1, then a layer of 5.
feature_shapes = [[3, 4, 4, 2], [3], [4, 4, 4, 3], [4], [5, 16], [5]]
k0, c0, k1, c1, w, b = [0.4 * waves(s, 20 + i) for i, s in enumerate(feature_shapes)]

x = 0.5 + 0.4 * waves([3, 8, 8, 2], 5)
noise = waves([3, 2], 7)


def features(x):
    def conv(x, k, c):
        return F.relu(F.conv2d(x.movedim(-1, 1), k.movedim(-1, 1), c, stride=2, padding=1)).movedim(1, -1)

    first = conv(x, k0, c0)
    second = conv(first, k1, c1)
    return [first, second, F.relu(F.linear(second.flatten(1), w, b))]


def gram(f):
    rows = f.reshape(f.shape[0], -1, f.shape[-1])
    return rows.transpose(1, 2) @ rows / (rows.shape[1] * rows.shape[2])


def perceptual(a, b):
    return (a - b).square().flatten(1).mean(1)


def style(a, b):
    return (gram(a) - gram(b)).square().sum((1, 2))


def loss(difference, weights, weight, reconstruction, beta):
    we, be, wh, bh, wd, bd, wo, bo = parameters
    raw = F.linear(F.relu(F.linear(x.flatten(1), we, be)), wh, bh)
    mean, log_variance = raw[:, :2], raw[:, 2:]
    z = mean + (log_variance / 2).exp() * noise
    logits = F.linear(F.relu(F.linear(z, wd, bd)), wo, bo).reshape(x.shape)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum((1, 2, 3)).mean()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
    pairs = zip(weights, features(x), features(logits.sigmoid()))
    seen = sum(w * difference(a, b) for w, a, b in pairs if w).mean()
    return reconstruction * nll + weight * seen + beta * kl, nll, seen, kl


for name, difference, weights in (
    ("perceptual, places", perceptual, [1, 1, 0]), ("perceptual, weights", perceptual, [0, 0.5, 2]),
    ("style, places", style, [1, 1, 0]), ("style, weights", style, [0, 0.5, 2]),
):
    total, *terms = loss(difference, weights, 7.0, 0.25, 3.0)
    gradients = torch.autograd.grad(total, parameters)
    print(name)
    print("  terms", [total.item()] + [t.item() for t in terms])
    print("  squares", [g.square().sum().item() for g in gradients])
    print("  products", [(g * waves(g.shape, 9)).sum().item() for g in gradients])

print("gram", gram(waves([1, 2, 3, 2], 3)).flatten().tolist())


def alignment(z, f, cosine_margin=0.5, distance_margin=0.25):
    """VA-VAE's loss (Yao and Wang 2025) of codes and features [batch, places, width]."""
    near = F.relu(1 - cosine_margin - F.cosine_similarity(z, f, dim=-1, eps=1e-12)).mean()
    if z.shape[1] == 1:
        z, f = z.transpose(0, 1), f.transpose(0, 1)
    z, f = F.normalize(z, dim=-1), F.normalize(f, dim=-1)
    far = F.relu((z @ z.mT - f @ f.mT).abs() - distance_margin).mean()
    return near, far


for places in (1, 6):
    z = (waves([5, places, 3], 11) * (1 + waves([5, places, 3], 4))).requires_grad_()
    f = waves([5, places, 3], 2)
    near, far = alignment(z, f)
    slopes = [torch.autograd.grad(t, z, retain_graph=True)[0] for t in (near, far)]
    print("alignment", places, near.item(), far.item(), [s.square().sum().item() for s in slopes],
          [(s * waves(s.shape, 9)).sum().item() for s in slopes])

start = numpy.array([-1.2, 1.0] * 3)
found = scipy.optimize.minimize(
    scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B",
    options={"maxiter": 500, "ftol": 1e-16, "gtol": 1e-9})
print("rosenbrock", found.x.tolist(), found.fun, found.nit, found.nfev)
size = 12
matrix = numpy.array([[math.sin(1.7 * (i * size + j)) for j in range(size)] for i in range(size)])
matrix = matrix @ matrix.T + numpy.diag(numpy.arange(1, size + 1) / 4)
right = numpy.cos(numpy.arange(size))
found = scipy.optimize.minimize(
    lambda p: (p @ matrix @ p / 2 - right @ p, matrix @ p - right), numpy.zeros(size), jac=True,
    method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-16, "gtol": 1e-9})
print("quadratic", numpy.linalg.solve(matrix, right).tolist(), found.fun, found.nit, found.nfev)
