"""Log-densities of relaxed classes and coins by PyTorch, for Tests/LatentModelsTests/DiscretePosteriorTests.swift."""

import torch
from torch.distributions import RelaxedBernoulli, RelaxedOneHotCategorical

torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=16)

logits = torch.tensor(
    [[0.3, -1.2, 0.8, 2.0, 0.0, -0.5], [-0.7, 0.4, 0.1, 1.5, -2.5, 0.2]])
points = torch.tensor(
    [[0.2, 0.5, -0.3, 1.0, -1.5, 0.4], [0, 0, 0.9, -0.8, 0.3, 2]]).reshape(2, 2, 3).softmax(-1)

for temperature in (0.8, 0.2):
    density = RelaxedOneHotCategorical(torch.tensor(temperature), logits=logits.reshape(2, 2, 3))
    print("categorical", temperature, density.log_prob(points).sum(-1).tolist())

coins = RelaxedBernoulli(torch.tensor(0.8), logits=logits)
print("bernoulli", coins.log_prob((logits.flip(-1) * 1.5).sigmoid()).sum(-1).tolist())
