#!/usr/bin/env python3
"""The figures of `emospan compare REFERENCE FILE`, as scikit-learn, seqeval and krippendorff make them.

check_agreement.py TAXONOMY.json REFERENCE.jsonl FILE.jsonl prints them as JSON, under the names that `--json` has. Both files are
records of the same texts and tokens in the same order. An undefined figure is null.
"""
import json
import sys
import warnings

import krippendorff
import numpy
import seqeval.metrics
import seqeval.scheme
import sklearn.metrics


def read(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f]


def defined(value):
    return None if numpy.isnan(value) else float(value)


def prf(scores):
    return dict(zip(("precision", "recall", "f1"), map(float, scores[:3])))


def mean(values):
    values = [v for v in values if v is not None]
    return float(numpy.mean(values)) if values else None


def alpha(a, b):
    if len(set(a) | set(b)) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=[list(map(int, a)), list(map(int, b))], level_of_measurement="nominal"))


def masi(a, b):
    if a == b:
        return 0.0
    common = len(a & b)
    monotony = 0 if not common else 2 / 3 if a <= b or b <= a else 1 / 3
    return 1 - monotony * common / len(a | b)


def masi_alpha(reference, predicted):
    sets = sorted(set(reference) | set(predicted), key=sorted)
    if len(sets) < 2:
        return None
    number = {s: i for i, s in enumerate(sets)}
    distances = numpy.array([[masi(a, b) for b in sets] for a in sets])
    data = [[number[s] for s in reference], [number[s] for s in predicted]]

    def metric(v1, v2, *_, **__):
        return distances[v1.astype(int), v2.astype(int)]

    return float(krippendorff.alpha(reliability_data=data, value_domain=list(range(len(sets))), level_of_measurement=metric))


def label_scores(level, classes, reference, predicted, firsts):
    truth = numpy.array([[c in s for c in classes] for s in reference], dtype=int)
    guess = numpy.array([[c in s for c in classes] for s in predicted], dtype=int)
    by = {average: sklearn.metrics.precision_recall_fscore_support(truth, guess, average=average, zero_division=0)
          for average in (None, "micro", "macro")}
    rows = []
    for i, name in enumerate(classes):
        precision, recall, f1, support = (column[i] for column in by[None])
        rows.append({
            "name": name, "support": int(support), "predicted": int(guess[:, i].sum()),
            "over": int((guess[:, i] & ~truth[:, i] & 1).sum()), "under": int((truth[:, i] & ~guess[:, i] & 1).sum()),
            **prf((precision, recall, f1)),
            "kappa": defined(sklearn.metrics.cohen_kappa_score(truth[:, i], guess[:, i])),
            "alpha": alpha(truth[:, i], guess[:, i]),
        })
    return {
        "level": level, "records": len(reference), "classes": rows, "micro": prf(by["micro"]), "macro": prf(by["macro"]),
        "accuracy": float(sklearn.metrics.accuracy_score(truth, guess)),
        "first_label": float(numpy.mean([f in s for f, s in zip(firsts, reference)])),
        "kappa": mean(r["kappa"] for r in rows), "alpha": mean(r["alpha"] for r in rows),
        "alpha_masi": masi_alpha(reference, predicted),
    }


def emotion_tags(record):
    tags = ["O"] * len(record["data"]["tokens"])
    for s in record["data"]["spans"]:
        tags[s["start"]:s["end"] + 1] = ["B-" + s["subtype"].lower()] + ["I-" + s["subtype"].lower()] * (s["end"] - s["start"])
    return tags


def span_scores(reference, predicted):
    def both(of, **options):
        return [of(r) for r in reference], [of(r) for r in predicted], options

    def scores(pair, average):
        truth, guess, options = pair
        of = seqeval.metrics
        return prf([score(truth, guess, average=average, zero_division=0, **options) for score in (of.precision_score, of.recall_score, of.f1_score)])

    labels = both(lambda r: r["data"]["labels"])
    strict = both(lambda r: r["data"]["labels"], mode="strict", scheme=seqeval.scheme.IOB2)
    emotions = both(emotion_tags, mode="strict", scheme=seqeval.scheme.IOB2)
    report = seqeval.metrics.classification_report(*emotions[:2], output_dict=True, zero_division=0)
    inside = [[tag != "O" for r in side for tag in emotion_tags(r)] for side in (reference, predicted)]
    return {
        "records": len(reference),
        "reference_spans": sum(len(r["data"]["spans"]) for r in reference),
        "predicted_spans": sum(len(r["data"]["spans"]) for r in predicted),
        "seqeval_default": scores(labels, "micro"), "seqeval_strict": scores(strict, "micro"),
        "emotion": {
            "micro": scores(emotions, "micro"), "macro": scores(emotions, "macro"),
            "classes": {name: {**prf((row["precision"], row["recall"], row["f1-score"])), "support": int(row["support"])}
                        for name, row in report.items() if not name.endswith(" avg")},
        },
        "tokens": prf(sklearn.metrics.precision_recall_fscore_support(*inside, average="binary", zero_division=0)),
    }


def main():
    warnings.simplefilter("ignore")
    taxonomy, reference, predicted = sys.argv[1:]
    with open(taxonomy, encoding="utf-8") as f:
        taxonomy = json.load(f)
    reference, predicted = read(reference), read(predicted)
    labels = []
    for level, key in (("emotion", "name"), ("ekman", "ekman"), ("sentiment", "group")):
        of = {e["name"]: e[key] for e in taxonomy["emotions"]}
        project = lambda records: [frozenset(of[p] for p in r["predictions"]) for r in records]
        firsts = [of[r["predictions"][0]] if r["predictions"] else None for r in predicted]
        labels.append(label_scores(level, list(dict.fromkeys(of.values())), project(reference), project(predicted), firsts))
    json.dump({"labels": labels, "spans": span_scores(reference, predicted)}, sys.stdout)


if __name__ == "__main__":
    main()
