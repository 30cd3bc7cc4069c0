#!/usr/bin/env python3
"""Learners of scikit-learn and SciPy, and scores of disentanglement computed with them in float64.

Writes Tests/LatentEvaluationTests/Resources/learners.json. Features and codes are stored with six
decimals, so that both sides start from the same numbers.
"""

import json
import pathlib
import warnings

import numpy as np
from scipy import linalg, optimize, stats
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def rounded(x, digits=6):
    return np.round(x, digits)


def numbers(x):
    return np.asarray(x, dtype=float).ravel().tolist()


def learners():
    n = 300
    y = rng.integers(0, 3, n)
    x = rounded(rng.normal(size=(n, 4)) + 0.8 * np.eye(4)[y] * [1, 2, 1, 1])
    train, test = slice(0, 200), slice(200, n)
    logistic = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000)
    scaler = StandardScaler().fit(x[train])
    logistic.fit(scaler.transform(x[train]), y[train])
    result = {
        "x": numbers(x),
        "y": y.tolist(),
        "logistic": numbers(logistic.predict_log_proba(scaler.transform(x[test]))[:20]),
    }
    svm = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-13, max_iter=100000)
    svm.fit(x[train], y[train])
    result["svm"] = numbers(np.vstack([svm.coef_.T, svm.intercept_[None]]))
    svm.fit(x[train, 1:2], y[train])
    result["svmOfOne"] = numbers(np.vstack([svm.coef_.T, svm.intercept_[None]]))
    for classes in (2, 3):
        target = np.minimum(y, classes - 1)
        trees = GradientBoostingClassifier(n_estimators=40, random_state=0)
        trees.fit(x[train], target[train])
        result[f"trees{classes}"] = {
            "importances": numbers(trees.feature_importances_),
            "errors": [float(np.mean(p != target[test])) for p in trees.staged_predict(x[test])],
        }
    target = x[:, 0] - 0.5 * x[:, 1] + 0.05 * x[:, 2] + rounded(rng.normal(size=n))
    result["target"] = numbers(target)
    result["lasso"] = numbers(Lasso(alpha=0.1, tol=1e-14, max_iter=10**6).fit(x, target).coef_)
    nearest = KNeighborsClassifier(1).fit(x[train], y[train])
    result["nearest"] = nearest.predict(x[test]).tolist()
    scores = np.round(x[:, 1], 0)
    result["area"] = float(roc_auc_score(y == 1, scores))
    result["ranks"] = numbers(stats.rankdata(scores))
    table = rounded(rng.normal(size=(6, 9)))
    rows, columns = optimize.linear_sum_assignment(table, maximize=True)
    result["assignment"] = {"scores": numbers(table), "columns": columns.tolist()}
    information = mutual_info_classif(x, y, n_neighbors=10, random_state=0)
    result["information"] = numbers(information)
    return result


def binned(x, bins=20):
    edges = np.histogram(x, bins)[1][:-1]
    return np.digitize(x, edges)


def importance_score(r):
    """The mean over rows, weighted by sums, of 1 - entropy to the base of their length."""
    shares = r.sum(1) / r.sum()
    return float(np.sum(shares * (1 - stats.entropy(r.T + 1e-11, base=r.shape[1]))))


def robustness(codes, factors, both):
    deviations = np.abs(codes - codes.mean(0))
    scale = np.percentile(deviations, 99, axis=0) if both else deviations.max(0)
    moved = np.zeros((codes.shape[1], factors.shape[1]))
    for j in range(factors.shape[1]):
        values = np.unique(factors[:, j])
        for value in values:
            own = codes[factors[:, j] == value]
            moved[:, j] += np.percentile(np.abs(own - own.mean(0)), 99, axis=0) / len(values)
    return float(np.average((1 - moved / scale[:, None]).max(1), weights=scale))


def agreement(r):
    r = np.abs(r)
    columns = np.nan_to_num(r.max(0) ** 2 / r.sum(0))
    rows = np.nan_to_num(r.max(1) ** 2 / r.sum(1))
    return float((columns.mean() + rows.mean()) / 2)


def scores():
    n, levels = 400, [3, 4, 5]
    factors = np.stack([rng.integers(0, v, n) for v in levels], 1)
    mixing = rng.normal(size=(3, 5)) * [[1, 0.2, 0.1, 0.4, 1], [0.1, 1, 0.3, 0, 1], [0, 0.2, 1, 1, 0]]
    codes = rounded(factors @ mixing + 0.5 * rng.normal(size=(n, 5)))
    other = rounded(codes @ rng.normal(size=(5, 4)) + rng.normal(size=(n, 4)))
    train, test = slice(0, 300), slice(300, n)
    c, f = codes[train], factors[train]
    latents, count = c.shape[1], f.shape[1]
    b = np.stack([binned(c[:, i]) for i in range(latents)], 1)
    pairs = [(i, j) for i in range(latents) for j in range(count)]
    mi = np.array([mutual_info_score(b[:, i], f[:, j]) for i, j in pairs]).reshape(latents, count)
    h = np.array([mutual_info_score(f[:, j], f[:, j]) for j in range(count)])
    top = np.sort(mi, 0)[::-1]
    squares = mi**2
    modularity = 1 - (squares.sum(1) - squares.max(1)) / (squares.max(1) * (count - 1))
    r2 = np.array([np.corrcoef(c[:, i], f[:, j])[0, 1] ** 2 for i, j in pairs])
    r2 = np.sort(r2.reshape(latents, count), 0)[::-1]
    nmi = np.stack(
        [mutual_info_classif(c, f[:, j], n_neighbors=10, random_state=0) / h[j] for j in range(count)], 1
    )
    xs, ys = StandardScaler().fit(c), StandardScaler().fit(f)
    r = np.stack(
        [
            Lasso(alpha=0.01, tol=1e-14, max_iter=10**6).fit(xs.transform(c), ys.transform(f)[:, j]).coef_
            for j in range(count)
        ],
        1,
    )
    rest = ys.transform(factors[test]) - xs.transform(codes[test]) @ r
    explained = 1 - (rest**2).mean(0) / ys.transform(factors[test]).var(0)
    covariance = np.cov(c, rowvar=False)
    root = linalg.sqrtm(covariance * np.diag(covariance)[:, None]).real
    distance = 2 * np.trace(covariance) - 2 * np.trace(root)
    total = 0.5 * (np.sum(np.log(np.diag(covariance))) - np.linalg.slogdet(covariance)[1])
    between = np.array([[mutual_info_score(b[:, i], b[:, k]) for i in range(latents)] for k in range(latents)])
    np.fill_diagonal(between, 0)
    correlation = np.abs(np.corrcoef(c, f, rowvar=False)[:latents, latents:])
    ranks = np.abs(stats.spearmanr(c, f).statistic[:latents, latents:])
    assigned = [m[optimize.linear_sum_assignment(m, maximize=True)].sum() / count for m in (correlation, ranks)]
    auc, infoe, probe = [], [], []
    for j in range(count):
        model = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000).fit(xs.transform(c), f[:, j])
        p = model.predict_proba(xs.transform(codes[test]))
        y = factors[test, j]
        auc.append(np.mean([roc_auc_score(y == v, p[:, v]) for v in range(levels[j])]))
        prior = (np.bincount(f[:, j]) + 1) / (len(f) + levels[j])
        infoe.append(1 - np.log(p[np.arange(len(y)), y]).mean() / np.log(prior[y]).mean())
        probe.append(np.mean(p.argmax(1) == y))
    sa, sb = StandardScaler().fit_transform(codes), StandardScaler().fit_transform(other)
    lasso = Lasso(alpha=0.1, tol=1e-14, max_iter=10**6).fit(sa, sb).coef_.T
    spearman = stats.spearmanr(codes, other).statistic[:latents, latents:]
    ca, cb = codes - codes.mean(0), other - other.mean(0)
    cka = np.linalg.norm(ca.T @ cb) ** 2 / np.linalg.norm(ca.T @ ca) / np.linalg.norm(cb.T @ cb)
    share = lambda m, k: (np.mean(m.max(1) / m.sum(1)) - 1 / k) / (1 - 1 / k)
    return {
        "codes": numbers(codes),
        "other": numbers(other),
        "factors": factors.ravel().tolist(),
        "scores": {
            "mig": float(np.mean((top[0] - top[1]) / h)),
            "modularity": float(modularity.mean()),
            "sap": float(np.mean(r2[0] - r2[1])),
            "infom": float(share(nmi, count)),
            "infoc": float(share(nmi.T, latents)),
            "dci-linear-disentanglement": importance_score(np.abs(r)),
            "dci-linear-completeness": importance_score(np.abs(r).T),
            "dci-linear-informativeness": float(explained.mean()),
            "irs": robustness(c, f, True),
            "irs-dlib": robustness(c, f, False),
            "mcc": float(assigned[0]),
            "mcc-spearman": float(assigned[1]),
            "gaussian-tc": float(total),
            "wasserstein-correlation": float(distance),
            "wasserstein-correlation-normalized": float(distance / np.trace(covariance)),
            "pairwise-mi": float(between.sum() / (latents**2 - latents)),
            "explicitness": float(np.mean(auc)),
            "infoe": float(np.mean(infoe)),
            "linear-probe": float(np.mean(probe)),
        },
        "comparisons": {
            "udr-lasso": agreement(lasso),
            "udr-spearman": agreement(spearman),
            "cka": float(cka),
        },
    }


root = pathlib.Path(__file__).resolve().parents[2]
path = root / "Tests/LatentEvaluationTests/Resources/learners.json"
path.write_text(json.dumps({"learners": learners(), "disentanglement": scores()}))
print(path, path.stat().st_size)
