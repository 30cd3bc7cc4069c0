"""Reference numbers for Tests/LatentLayersTests/SequenceTests.swift, from PyTorch in float64.

    python3 scripts/references/sequences.py > Tests/LatentLayersTests/Resources/sequences.json

Inputs follow from rules that the test repeats. Of each result three projections (weights
cos(0.37 (k + 1) i), k = 0, 1, 2) and the first twelve elements are stored.
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)


def rule(shape, value):
    return torch.tensor([value(i) for i in range(math.prod(shape))]).reshape(shape)


def inputs(shape, step=0):
    return rule(shape, lambda i: math.sin(0.7 * i * i + step))


def weights(shape, number):
    """Of parameter `number` of a module, counted in our order."""
    scale = 1 / math.sqrt(shape[-1])
    return rule(shape, lambda i: scale * math.sin(2.0 * i * i + 0.5 * i + number))


def cotangent(shape, step=0):
    return rule(shape, lambda i: math.cos(1.3 * i * i + 0.2 + step))


def reduced(x):
    x = x.detach().flatten()
    i = torch.arange(x.numel(), dtype=torch.float64)
    return [float((x * torch.cos(0.37 * (k + 1) * i)).sum()) for k in range(3)] + x[:12].tolist()


def fill(parameters):
    for number, parameter in enumerate(parameters):
        with torch.no_grad():
            parameter.copy_(weights(list(parameter.shape), number))


def results(outputs, tensors):
    sum((y * cotangent(list(y.shape), k)).sum() for k, y in enumerate(outputs)).backward()
    values = {f"y{k}": reduced(y) for k, y in enumerate(outputs)}
    return values | {f"d{k}": reduced(t.grad) for k, t in enumerate(tensors)}


cases = []


def case(kind, expected, **settings):
    cases.append(dict(kind=kind, expected=expected) | settings)


def mask(heads, queries, keys):
    """Hides every third pair; query 0 sees key 0 in any case."""
    i = torch.arange(queries).reshape(1, queries, 1)
    j = torch.arange(keys).reshape(1, 1, keys)
    h = torch.arange(heads).reshape(heads, 1, 1)
    hidden = ((i + 2 * j + h) % 3 == 2) & (j > 0)
    return torch.zeros(heads, queries, keys).masked_fill(hidden, -math.inf)


for batch, length, width, heads, causal, masked, memory in [
    (2, 5, 12, 3, False, False, 0), (3, 64, 32, 4, True, False, 0), (1, 17, 8, 1, False, True, 0),
    (2, 9, 20, 2, True, True, 0), (2, 7, 12, 4, False, False, 11), (2, 33, 40, 5, False, True, 18),
    (1, 1, 6, 2, True, False, 0), (2, 100, 64, 2, True, False, 0), (5, 16, 96, 3, False, False, 0),
]:
    module = torch.nn.MultiheadAttention(width, heads, batch_first=True)
    parameters = [
        module.in_proj_weight, module.in_proj_bias, module.out_proj.weight, module.out_proj.bias]
    fill(parameters)
    x = inputs([batch, length, width]).requires_grad_(True)
    other = inputs([batch, memory, width], 1).requires_grad_(True) if memory else x
    keys = memory or length
    bias = mask(heads, length, keys) if masked else torch.zeros(heads, length, keys)
    if causal:
        bias = bias + torch.full((length, length), -math.inf).triu(1)
    y, _ = module(x, other, other, attn_mask=bias.repeat(batch, 1, 1), need_weights=False)
    tensors = parameters + [x] + ([other] if memory else [])
    case("attention", results([y], tensors), batch=batch, length=length, width=width, heads=heads,
         causal=causal, masked=masked, memory=memory)

for before in [True, False]:
    module = torch.nn.TransformerEncoderLayer(
        24, 3, 40, dropout=0, activation="gelu", batch_first=True, norm_first=before)
    attention = module.self_attn
    parameters = [
        module.norm1.weight, module.norm1.bias, attention.in_proj_weight, attention.in_proj_bias,
        attention.out_proj.weight, attention.out_proj.bias, module.norm2.weight, module.norm2.bias,
        module.linear1.weight, module.linear1.bias, module.linear2.weight, module.linear2.bias]
    fill(parameters)
    x = inputs([2, 6, 24]).requires_grad_(True)
    case("block", results([module(x)], parameters + [x]), before=before)

for kind in ["gru", "lstm"]:
    for batch, length, features, size, layers, directions in [
        (3, 5, 4, 6, 1, 1), (2, 7, 3, 5, 2, 1), (4, 6, 5, 17, 2, 2), (1, 1, 2, 3, 1, 2),
        (33, 9, 8, 40, 1, 1),
    ]:
        build = torch.nn.GRU if kind == "gru" else torch.nn.LSTM
        module = build(features, size, layers, batch_first=True, bidirectional=directions == 2)
        parameters = []
        for layer in range(layers):
            for suffix in ["", "_reverse"][:directions]:
                for name in ["weight_ih", "bias_ih", "weight_hh", "bias_hh"]:
                    parameters.append(getattr(module, f"{name}_l{layer}{suffix}"))
        fill(parameters)
        x = inputs([batch, length, features]).requires_grad_(True)
        states = [inputs([layers * directions, batch, size], k + 1).requires_grad_(True)
                  for k in range(1 if kind == "gru" else 2)]
        y, final = module(x, states[0] if kind == "gru" else tuple(states))
        finals = [final] if kind == "gru" else list(final)
        case(kind, results([y] + finals, parameters + [x] + states), batch=batch, length=length,
             features=features, size=size, layers=layers, directions=directions)

for length, start, size, base in [(6, 0, 8, 10000.0), (5, 3, 4, 100.0)]:
    # Pairs as complex numbers times e^(i angle).
    x = inputs([2, length, 2, size])
    frequencies = base ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(start, start + length).reshape(length, 1) * frequencies
    turn = torch.polar(torch.ones_like(angles), angles).reshape(length, 1, size // 2)
    y = torch.view_as_real(torch.view_as_complex(x.reshape(2, length, 2, size // 2, 2)) * turn)
    case("rotary", {"y0": reduced(y)}, length=length, start=start, size=size, base=base)

for length, width in [(50, 16), (7, 5)]:
    position = torch.arange(length).reshape(length, 1)
    table = torch.zeros(length, width)
    frequencies = 10000.0 ** (-torch.arange(0, width, 2) / width)
    table[:, 0::2] = torch.sin(position * frequencies)
    table[:, 1::2] = torch.cos(position * frequencies[: width // 2])
    case("sinusoidal", {"y0": reduced(table)}, length=length, width=width)

print(json.dumps(cases, separators=(",", ":")))
