"""Reference numbers for Tests/LatentModelsTests/SpectralAutoencoderTests.swift, from PyTorch in float64.

    python3 scripts/references/spectral_autoencoder.py

A linear encoder to a point and a decoder of two layers under PyTorch's parametrisation
`spectral_norm`; after each step of SGD the weights themselves are divided by the norm that the next
power iteration finds. Weights, data and first singular vectors follow from a rule that the test repeats.
"""

import math

import torch
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm

torch.set_default_dtype(torch.float64)


def waves(shape, start):
    return torch.tensor([math.sin(1.7 * i + start) for i in range(math.prod(shape))]).reshape(shape)


encoder, hidden, output = torch.nn.Linear(3, 2), torch.nn.Linear(2, 4), torch.nn.Linear(4, 3)
for index, layer in enumerate([encoder, hidden, output]):
    layer.weight.data = waves(layer.weight.shape, 2 * index + 1)
    layer.bias.data = waves(layer.bias.shape, 2 * index + 2)
for index, layer in enumerate([hidden, output]):
    spectral_norm(layer)
    layer.parametrizations.weight[0]._v.copy_(
        F.normalize(waves([layer.weight.shape[1]], index + 7), dim=0)
    )

parameters = [
    encoder.weight, encoder.bias, hidden.parametrizations.weight.original, hidden.bias,
    output.parametrizations.weight.original, output.bias,
]
x = waves([4, 3], 5)
optimizer = torch.optim.SGD(parameters, lr=0.05)
for step in range(4):
    z = encoder(x)
    rebuilt = output(torch.tanh(hidden(z)))
    reconstruction = ((rebuilt - x) ** 2).sum(1).mean()
    length = 0.5 * (z**2).sum(1).mean()
    loss = reconstruction + 0.3 * length
    print("losses", [loss.item(), reconstruction.item(), length.item()])
    optimizer.zero_grad()
    loss.backward()
    if step == 0:
        print("gradients", [(p.grad**2).sum().item() for p in parameters])
    if step < 3:
        optimizer.step()
        for layer in [hidden, output]:
            norm = layer.parametrizations.weight[0]
            original = layer.parametrizations.weight.original
            with torch.no_grad():
                u = F.normalize(original @ norm._v, dim=0)
                v = F.normalize(original.T @ u, dim=0)
                original /= u @ original @ v
print("parameters", [(p**2).sum().item() for p in parameters])
print("directions", [layer.parametrizations.weight[0]._v.tolist() for layer in [hidden, output]])
