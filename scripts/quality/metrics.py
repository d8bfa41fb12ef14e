"""Figures and their 95 % intervals. A figure is a dictionary of value, low, high.

A value comes from scikit-learn. An interval comes from a bootstrap: whole documents are drawn with replacement, SAMPLES times, and
the figure is computed from the sums of the documents' counts. A label that neither side gives in a sample is left out of its mean.
"""
import numpy as np
from sklearn.metrics import f1_score, precision_recall_fscore_support

SAMPLES = 2000
SEED = 1
BINS = 10


def grouped(documents, counts):
    """Sums the rows of counts, a row a text, by document."""
    numbers = {d: i for i, d in enumerate(dict.fromkeys(documents))}
    sums = np.zeros((len(numbers), *np.shape(counts)[1:]))
    np.add.at(sums, [numbers[d] for d in documents], np.asarray(counts, dtype=float))
    return sums


def weights(n, samples=SAMPLES):
    """How often each of n documents is in each sample."""
    return np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=samples)


def figure(value, documents, counts, statistic):
    """The value with the interval of statistic, which makes a number of summed counts."""
    if not len(documents):
        return {"value": None, "low": None, "high": None}
    sums = grouped(documents, counts)
    drawn = np.tensordot(weights(len(sums)), sums, axes=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array([statistic(s) for s in drawn], dtype=float)
    return spread(value, found[np.isfinite(found)])


def spread(value, drawn):
    """The value with the middle 95 % of what was drawn."""
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
    return {"value": float(value), "low": float(low), "high": float(high)}


def share(documents, right, of=None):
    """What part of the texts, or of what each text has, is right."""
    of = [1] * len(right) if of is None else of
    counts = np.column_stack([right, of]) if len(right) else np.zeros((0, 2))
    value = counts[:, 0].sum() / max(counts[:, 1].sum(), 1)
    return figure(value, documents, counts, lambda s: s[0] / s[1])


def f1(tp, fp, fn):
    return 2 * tp / (2 * tp + fp + fn)


def precision(tp, fp, fn):
    return tp / (tp + fp)


def recall(tp, fp, fn):
    return tp / (tp + fn)


def macro_of(counts):
    """A function of a sample's sums, a row (tp, fp, fn) a label: the mean F1 of labels. One that no text has at all counts as 0."""
    never = (np.asarray(counts).sum(axis=(0, 2)) == 0).sum()

    def macro(sums):
        scores = f1(*sums.T)
        there = np.isfinite(scores)
        return scores[there].sum() / (there.sum() + never)

    return macro


def classes(documents, gold, given, values=None):
    """Macro-F1 over the values that people gave, and accuracy; one value a place."""
    values = values or sorted(set(gold))
    if not gold:
        return {"n": 0, "values": [], "macro": share([], []), "accuracy": share([], [])}
    hits = np.array([[(g == v and p == v, g != v and p == v, g == v and p != v) for v in values] for g, p in zip(gold, given)])
    macro = f1_score(gold, given, labels=values, average="macro", zero_division=0)
    return {"n": len(gold), "documents": len(set(documents)), "values": values,
            "macro": figure(macro, documents, hits, macro_of(hits)), "accuracy": share(documents, [g == p for g, p in zip(gold, given)])}


def label_sets(documents, gold, given, names):
    """Macro-F1 and micro-F1 of sets of labels, and how many a text has."""
    truth = np.array([[n in g for n in names] for g in gold])
    found = np.array([[n in p for n in names] for p in given])
    counts = np.stack([truth & found, ~truth & found, truth & ~found], axis=2)
    scores = {how: f1_score(truth, found, average=how, zero_division=0) for how in ("macro", "micro")}
    return {"n": len(gold), "macro": figure(scores["macro"], documents, counts, macro_of(counts)),
            "micro": figure(scores["micro"], documents, counts, lambda s: f1(*s.sum(axis=0))),
            "labels": share(documents, [len(p) for p in given]), "people": float(truth.sum() / len(gold))}


def tokens(documents, gold, given, lengths):
    """F1, precision and recall of the tokens in spans. gold and given are sets of tokens' numbers, lengths how many tokens a text has."""
    counts = np.array([(len(g & p), len(p - g), len(g - p)) for g, p in zip(gold, given)]).reshape(-1, 3)
    flat = [np.concatenate([np.isin(np.arange(n), list(side)) for side, n in zip(sides, lengths)]) if lengths else [] for sides in (gold, given)]
    if not lengths:
        return {"n": 0, **{name: share([], []) for name in ("f1", "precision", "recall")}}
    p, r, f, _ = precision_recall_fscore_support(*flat, average="binary", zero_division=0)
    return {"n": len(gold), "tokens": sum(map(len, gold)), "f1": figure(f, documents, counts, lambda s: f1(*s)),
            "precision": figure(p, documents, counts, lambda s: precision(*s)), "recall": figure(r, documents, counts, lambda s: recall(*s))}


def calibration_error(documents, pairs):
    """Expected calibration error of (confidence, right) pairs, a list of them for each text."""
    counts = np.zeros((len(documents), BINS, 3))
    for row, of_text in zip(counts, pairs):
        for confidence, right in of_text:
            row[min(int(confidence * BINS), BINS - 1)] += (confidence, right, 1)

    def error(s):
        return np.abs(s[:, 0] - s[:, 1]).sum() / s[:, 2].sum()

    if not counts[..., 2].any():
        return {"n": 0, "error": share([], [])}
    return {"n": int(counts[..., 2].sum()), "error": figure(error(counts.sum(axis=0)), documents, counts, error)}
