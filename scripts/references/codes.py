#!/usr/bin/env python3
"""Reference numbers for Tests/LatentModelsTests/Codes/CodesReferenceTests.swift, from PyTorch in float64.

    pip install torch
    python3 scripts/references/codes.py > Tests/LatentModelsTests/Resources/codes.json

Every quantiser on the same vectors: what goes on to the decoder, indices, terms of the loss, and the gradients of
sum(value * g) + sum(weight * term) with respect to the vectors and what is trained. Written from the papers, in the
longest form: all distances one by one, rotations as matrices, entropies over all codes. Inputs follow from a rule that the
test repeats.
"""

import itertools
import json
import math

import torch

torch.set_default_dtype(torch.float64)
ROWS = 5


def waves(rows, columns, start, scale=1.0):
    return torch.tensor([[scale * math.sin(1.7 * (i * columns + j) + start) for j in range(columns)]
                         for i in range(rows)])


def nearest(z, book):
    distance = ((z[:, None, :] - book[None, :, :]) ** 2).sum(-1)
    return distance.argmin(1)


def straight(z, e):
    return z + (e - z).detach()


def rotation(z, e):
    """Row by row: |e| / |z| R z with R as a matrix, constant."""
    rows = []
    for v, c in zip(z, e.detach()):
        a, b = v.detach() / v.detach().norm(), c / c.norm()
        r = (a + b) / (a + b).norm()
        matrix = torch.eye(len(v)) - 2 * torch.outer(r, r) + 2 * torch.outer(b, a)
        rows.append(c.norm() / v.detach().norm() * matrix @ v)
    return torch.stack(rows)


def diveq(z, e):
    """Without noise of the direction."""
    difference = e - z
    return z + difference.norm(dim=1, keepdim=True) * (difference / difference.norm(dim=1, keepdim=True)).detach()


PASSES = {"straight-through": straight, "rotation": rotation, "diveq": diveq}


def mean_square(a, b):
    return ((a - b) ** 2).sum(1).mean()


def vq(z, book, gradient="straight-through", learning="loss", commitment=0.25):
    index = nearest(z.detach(), book.detach())
    e = book[index]
    terms = []
    if gradient != "diveq":
        terms.append(("commitment", mean_square(z, e.detach()), commitment))
        if learning == "loss":
            terms.append(("codebook", mean_square(z.detach(), e), 1.0))
    return PASSES[gradient](z, e), e, index[:, None], terms


def fsq_bound(z, levels):
    L = torch.tensor(levels, dtype=z.dtype)
    half = (L - 1) * (1 - 1e-3) / 2
    offset = torch.where(L % 2 == 0, 0.5, 0.0)
    return half * torch.tanh(z + torch.atanh(offset / half)) - offset


def radix(digits, levels):
    index, weight = torch.zeros(len(digits), dtype=torch.int64), 1
    for column, size in enumerate(levels):
        index += digits[:, column].to(torch.int64) * weight
        weight *= size
    return index[:, None]


def fsq_round(place, levels):
    """Of what is bounded and divided: codes and indices."""
    L = torch.tensor(levels, dtype=place.dtype)
    middle = torch.floor(L / 2)
    level = torch.minimum(torch.maximum(torch.round(place * middle), -middle), L - 1 - middle)
    return level / middle, radix(level + middle, levels)


def fsq_place(z, levels):
    return fsq_bound(z, levels) / torch.floor(torch.tensor(levels, dtype=z.dtype) / 2)


def fsq(z, levels):
    place = fsq_place(z, levels)
    code, index = fsq_round(place.detach(), levels)
    return straight(place, code), code, index, []


def fsp(z, levels):
    u = 2 * torch.distributions.Normal(0.0, 1.0).cdf(z) - 1
    L = torch.tensor(levels, dtype=z.dtype)
    level = torch.clamp(torch.floor((u.detach() + 1) / 2 * L), min=0).minimum(L - 1)
    code = (2 * level + 1) / L - 1
    return straight(u, code), code, radix(level, levels), []


def entropy_terms(z, size, sharpness, group, diversity):
    """By softmax over all corners of the cube, whole for each vector and in groups for all."""
    def soft(part):
        corners = size * torch.tensor(list(itertools.product([1.0, -1.0], repeat=part.shape[1])))
        return torch.softmax(-((part[:, None] - corners) ** 2).sum(-1) * sharpness, 1)

    p = soft(z)
    each = -(p * p.clamp_min(1e-300).log()).sum(1).mean()
    total = 0.0
    for start in range(0, z.shape[1], group):
        mean = soft(z[:, start:start + group]).mean(0)
        total = total - (mean * mean.log()).sum()
    return each - diversity * total


def signs(z, spherical, commitment, weight, sharpness, group, diversity):
    u = z / z.norm(dim=1, keepdim=True) if spherical else z
    size = 1 / math.sqrt(z.shape[1]) if spherical else 1.0
    bits = (u.detach() > 0).to(z.dtype)
    code = (2 * bits - 1) * size
    index = sum(bits[:, i].to(torch.int64) << (z.shape[1] - 1 - i) for i in range(z.shape[1]))[:, None]
    terms = [("entropy", entropy_terms(u, size, sharpness, group, diversity), weight)]
    if commitment:
        terms.append(("commitment", mean_square(u, code), commitment))
    return straight(u, code), code, index, terms


def residual_vq(z, books):
    left, total, indices, commitment, codebook = z, 0, [], 0, 0
    for book in books:
        _, e, index, terms = vq(left, book)
        total, left = total + e, left - e.detach()
        indices.append(index)
        commitment, codebook = commitment + terms[0][1], codebook + terms[1][1]
    return straight(z, total), total, torch.cat(indices, 1), [("commitment", commitment, 0.25), ("codebook", codebook, 1.0)]


def residual_fsq(z, levels, stages):
    place = fsq_place(z, levels)
    left, total, indices = place.detach(), 0, []
    for stage in range(stages):
        scale = (torch.tensor(levels, dtype=z.dtype) - 1) ** -stage
        code, index = fsq_round(left / scale, levels)
        total, left = total + code * scale, left - code * scale
        indices.append(index)
    return straight(place, total), total, torch.cat(indices, 1), []


def case(name, chain, settings, dimension, run, books=(), scale=1.0):
    """books: leaves, by the names of the parameters of ours."""
    z = waves(ROWS, dimension, 0.3, scale).requires_grad_()
    books = {key: value.requires_grad_() for key, value in books}
    value, code, index, terms = run(z, *books.values())
    g = waves(ROWS, dimension, 2.1)
    total = (value * g).sum() + sum(weight * term for _, term, weight in terms)
    leaves = [z, *books.values()]
    gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    flat = lambda t: t.detach().flatten().tolist()
    return dict(
        name=name, chain=chain, settings=settings, dimension=dimension, scale=scale,
        books={key: dict(shape=list(b.shape), values=flat(b)) for key, b in books.items()},
        value=flat(value), code=flat(code), indices=flat(index), terms={n: t.item() for n, t, _ in terms},
        gradient=flat(gradients[0]),
        bookGradients={key: flat(g) for (key, b), g in zip(books.items(), gradients[1:]) if g is not None})


def main():
    book = lambda start, k=6, d=4: waves(k, d, start, 0.8)
    plain = dict(codes=6, kmeans=0)
    cases = [
        case("averages", "vq", plain, 4, lambda z, b: vq(z, b, learning="ema"), [("book", book(1.0))]),
        case("trained", "vq", dict(plain, learning="loss", commitment=0.4), 4,
             lambda z, b: vq(z, b, commitment=0.4), [("book", book(1.0))]),
        case("rotation", "vq", dict(plain, learning="loss", gradient="rotation"), 4,
             lambda z, b: vq(z, b, "rotation"), [("book", book(1.0))]),
        case("diveq", "vq", dict(plain, gradient="diveq", restart=1e-9, noise=0), 4,
             lambda z, b: vq(z, b, "diveq"), [("book", book(1.0))]),
    ]

    def sim(z, weight, gradient):
        return vq(z, book(0.4) @ weight, gradient)

    for gradient in ("straight-through", "rotation"):
        cases.append(case(
            f"linear {gradient}", "simvq", dict(codes=6, gradient=gradient), 4,
            lambda z, w, gradient=gradient: sim(z, w, gradient), [("weight", waves(4, 4, 0.9, 0.7))]))
    for levels in ([8, 5, 5, 5], [3, 4, 7]):
        cases.append(case(f"levels {levels}", "fsq", dict(levels=levels), len(levels),
                          lambda z, levels=levels: fsq(z, levels), scale=2.0))
        cases.append(case(f"normal levels {levels}", "fsp", dict(levels=levels, noise=0), len(levels),
                          lambda z, levels=levels: fsp(z, levels), scale=2.0))
    for spherical, group, commitment in ((False, 1, 0.25), (False, 2, 0.0), (True, 3, 0.0), (True, 4, 0.1)):
        cases.append(case(
            f"signs {spherical} {group}", "bsq" if spherical else "lfq",
            dict(bits=5, entropy=0.3, diversity=0.8, sharpness=1.5, group=group, commitment=commitment), 5,
            lambda z, s=spherical, g=group, c=commitment: signs(z, s, c, 0.3, 1.5, g, 0.8)))
    cases.append(case(
        "residual book", "residual:vq", dict(stages=3, inside=dict(plain, learning="loss")), 4,
        lambda z, *b: residual_vq(z, b), [(f"{i}.book", book(1.0 + i) / (i + 1)) for i in range(3)]))
    cases.append(case(
        "residual levels", "residual:fsq", dict(stages=3, inside=dict(levels=[5, 4, 7])), 3,
        lambda z: residual_fsq(z, [5, 4, 7], 3), scale=2.0))

    def grouped(z, first, second):
        parts = [vq(part, b) for part, b in zip(z.chunk(2, 1), (first, second))]
        value, code, index = (torch.cat([p[i] for p in parts], 1) for i in range(3))
        terms = [(n, a + b, w) for (n, a, w), (_, b, _) in zip(parts[0][3], parts[1][3])]
        return value, code, index, terms

    cases.append(case(
        "groups", "grouped:vq", dict(groups=2, inside=dict(plain, learning="loss")), 4, grouped,
        [("0.book", book(1.0, d=2)), ("1.book", book(2.0, d=2))]))
    print("[" + ",\n".join(json.dumps(c) for c in cases) + "]")


main()
