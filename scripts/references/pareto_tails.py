#!/usr/bin/env python3
"""Reference numbers for Tests/LatentEvaluationTests/Likelihood/ParetoTailTests.swift, from ArviZ.

    pip install 'arviz<1'
    python3 scripts/references/pareto_tails.py > Tests/LatentEvaluationTests/Resources/pareto-tails.json

k-hat of log-weights that follow from a rule which the test repeats: with u_i = frac(i golden), i from 1 to the count,
"pareto" weights are (1 - u)^-scale, "bounded" log-weights scale u, "sine" scale sin(1.7 i).
"""

import json

import arviz
import numpy as np

GOLDEN = 0.6180339887498949


def log_weights(kind, scale, count):
    i = np.arange(1, count + 1, dtype=np.float64)
    u = np.mod(i * GOLDEN, 1)
    return {"pareto": -scale * np.log1p(-u), "bounded": scale * u, "sine": scale * np.sin(1.7 * i)}[kind]


cases = []
for kind, scales in [("pareto", [0.3, 0.8, 1.5]), ("bounded", [0.1, 4, 30]), ("sine", [2, 9])]:
    for scale in scales:
        for count in [25, 100, 1000, 5000]:
            _, shape = arviz.psislw(log_weights(kind, scale, count))
            cases.append({"kind": kind, "scale": scale, "count": count, "shape": float(shape)})
print(json.dumps(cases, indent=0))
