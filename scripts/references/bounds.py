"""Reference numbers for Tests/LatentModelsTests/Objectives/MultiSampleBoundTests.swift, from PyTorch in
float64.

    python3 scripts/references/bounds.py

One example x = 1; q = N(m, e^v), p(z) = N(0, 1), p(x | z) = N(a z + b, 1), four draws with given noise.
Printed are the bound and its derivatives by m, v, a, b, with the encoder's estimators written as hooks on
the draws; dc / dlog w of the doubly reparameterised ones comes from automatic differentiation.
"""

import math

import torch

torch.set_default_dtype(torch.float64)
NOISE = torch.tensor([0.3, -0.8, 1.1, 0.2])
K = len(NOISE)


def normal(x, mean, log_variance):
    return -0.5 * ((x - mean) ** 2 * torch.exp(-log_variance) + log_variance + math.log(2 * math.pi))


def mean_exp(log_w):
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


BOUNDS = {
    "iwae": mean_exp,
    "miwae": lambda w: (mean_exp(w[:2]) + mean_exp(w[2:])) / 2,
    "ciwae 0.3": lambda w: 0.3 * w.mean() + 0.7 * mean_exp(w),
    "renyi 0.5": lambda w: 2 * mean_exp(w / 2),
    "renyi 2": lambda w: -mean_exp(-w),
}


def parameters():
    return [torch.tensor(value, requires_grad=True) for value in (0.4, -0.3, 0.9, 0.1)]


def log_weights(m, v, a, b, z, mq, vq):
    return normal(torch.tensor(1.0), a * z + b, torch.tensor(0.0)) + normal(
        z, torch.tensor(0.0), torch.tensor(0.0)) - normal(z, mq, vq)


def shares(bound, log_w):
    """(c - dc / dlog w) / c."""
    log_w = log_w.detach().requires_grad_()
    c = torch.autograd.grad(bound(log_w), log_w, create_graph=True)[0]
    own = torch.stack([torch.autograd.grad(c[k], log_w, retain_graph=True)[0][k] for k in range(K)])
    return (c - own).detach() / c.detach()


def show(name, value, gradients):
    print(f"{name}: {value.item():.15g}, [{', '.join(f'{g.item():.15g}' for g in gradients)}]")


for name, bound in BOUNDS.items():
    for estimator in ("pathwise", "stl", "dreg"):
        m, v, a, b = parameters()
        z = m + torch.exp(v / 2) * NOISE
        mq, vq = (m, v) if estimator == "pathwise" else (m.detach(), v.detach())
        log_w = log_weights(m, v, a, b, z, mq, vq)
        if estimator == "dreg":
            share = shares(bound, log_w)
            z.register_hook(lambda g, share=share: g * share)
        value = bound(log_w)
        show(f"{name} {estimator}", value, torch.autograd.grad(value, [m, v, a, b]))

# Draws as constants: VIMCO, and the two losses of wake-sleep.
m, v, a, b = parameters()
z = (m + torch.exp(v / 2) * NOISE).detach()
log_w = log_weights(m, v, a, b, z, m, v)
signals = []
for k in range(K):
    others = torch.cat([log_w[:k], log_w[k + 1:]])
    signals.append(mean_exp(log_w) - mean_exp(torch.cat([others, others.mean()[None]])))
signals = torch.stack(signals).detach()
surrogate = (signals * normal(z, m, v)).sum() + mean_exp(log_w)
show("vimco", mean_exp(log_w), torch.autograd.grad(surrogate, [m, v, a, b], retain_graph=True))
print("signals", [float(f"{s:.15g}") for s in signals])
weights = torch.softmax(log_w, 0).detach()
wake = -(weights * normal(z, m, v)).sum()
show("wake", wake, torch.autograd.grad(wake, [m, v]))
