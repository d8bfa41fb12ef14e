#!/usr/bin/env python3
"""Measures how well records agree with what people annotated, and prints the tables of docs/quality.md. `make quality`.

Needs GoEmotions and REMAN in the folder DATA (default ../shared/data) and bin/emospan. Emotions: the first rows of GoEmotions' dev set,
labels alone, as each model writes them and by --calibrate, whose weights and thresholds come from rows of the train set. Spans:
texts of REMAN that have an emotion, against three baselines over the same tokens. Confidence: how often an emotion is right beside how sure
the record says it is. Every figure but the last is `emospan compare`'s.
"""
import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMOSPAN = os.path.join(TOP, "bin", "emospan")
DATA = os.path.join(TOP, os.environ.get("DATA") or "../shared/data")
BINS = 10


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", default="smollm2-135m,gemma3-270m", help="comma-separated names or files")
    p.add_argument("--rows", type=int, default=1000, help="rows of GoEmotions' dev set (default 1000)")
    p.add_argument("--texts", type=int, default=140, help="texts of REMAN (default 140)")
    p.add_argument("--confident", type=int, default=300, help="rows for the figures of confidence (default 300)")
    p.add_argument("--tag-flags", type=shlex.split, default=[], metavar="FLAGS", help="more flags for emospan tag")
    p.add_argument("--figure", metavar="FILE", help="draw the table of confidence there, as SVG; takes matplotlib")
    p.add_argument("--tables", default="emotions,spans,confidence", help="which, comma-separated")
    return p.parse_args()


def say(*words):
    print("quality:", *words, file=sys.stderr, flush=True)


def tag(args, model, source, out, *flags):
    say("tag", model, os.path.basename(source), *flags)
    subprocess.run([EMOSPAN, "tag", "-q", "-m", model, source, "-o", out, "--force", *args.tag_flags, *flags], check=True)
    return records(out)


def records(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def compare(reference, *files):
    done = subprocess.run([EMOSPAN, "compare", "--json", reference, *files], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["files"]


def interval(e):
    return f"{e['value']:.3f} ({e['low']:.3f}–{e['high']:.3f})"


def head(source, out, count):
    """The first texts of a GoEmotions file, whose rows may hold line breaks, as JSON lines of text, id and labels' names."""
    import csv

    with open(os.path.join(DATA, "goemotions", "emotions.txt"), encoding="utf-8") as f:
        names = f.read().split()
    with open(source, encoding="utf-8", newline="") as f:
        rows = [{"src_id": r[2], "text": r[0], "labels": [names[int(i)] for i in r[1].split(",")]}
                for _, r in zip(range(count), csv.reader(f, delimiter="\t"))]
    write(out, rows)
    return rows


def emotions(args, folder):
    reference = os.path.join(folder, "dev.jsonl")
    rows = head(os.path.join(DATA, "goemotions", "dev.tsv"), reference, args.rows)
    print(f"\n## Emotions: the first {len(rows)} rows of GoEmotions' dev set\n")
    print("| model | emotions | macro-F1 (95 % interval) | micro-F1 | accuracy: first emotion is among the labels | all labels just so |")
    print("|---|---|---|---|---|---|")
    names = {"as the model writes them": [], "--calibrate auto": ["--calibrate", "auto"]}
    for model in args.models.split(","):
        for what, flags in names.items():
            out = os.path.join(folder, "simple.jsonl")
            tag(args, model, reference, out, "--prompt", "simple", *flags)
            s = next(x for x in compare(reference, out)[0]["labels"] if x["level"] == "emotion")
            print(f"| {model} | {what} | {interval(s['macro']['f1'])} | {s['micro']['f1']['value']:.3f} | {s['first_label']['value']:.3f} | {s['accuracy']['value']:.3f} |", flush=True)
    print("\nOf all rows the majority's label, neutral, is right for "
          f"{sum('neutral' in r['labels'] for r in rows) / len(rows):.3f}; its macro-F1 is {majority(rows):.3f}.")


def majority(rows):
    n = sum("neutral" in r["labels"] for r in rows)
    return 2 * n / (n + len(rows)) / 28


def spans(args, folder):
    source = os.path.join(DATA, "reman", "spans.jsonl")
    with_emotion = [r for r in records(source) if any(s["kind"] == "emotion" for s in r["spans"])]
    held = with_emotion[1::2]  # of the others some were looked at when the way to find spans was chosen
    chosen = held[:: max(1, len(held) // args.texts)][: args.texts]
    reference = os.path.join(folder, "reman.jsonl")
    write(reference, chosen)
    print(f"\n## Spans: {len(chosen)} of REMAN's {len(with_emotion)} texts with an emotion\n")
    print("| spans | tokens' F1 (95 % interval) | precision | recall | spans that meet one: F1 | Ekman macro-F1 |")
    print("|---|---|---|---|---|---|")
    lengths = []
    for model in args.models.split(","):
        for flags in ([], ["--calibrate", "auto"]):
            out = os.path.join(folder, "spans.jsonl")
            tagged = tag(args, model, reference, out, *flags)
            lengths += [s["end"] - s["start"] + 1 for r in tagged for s in r["data"]["spans"]]
            row(f"{model} {' '.join(flags)}".strip(), reference, out)
    for name, baseline in (("whole text", whole), ("a random run of the models' mean length", randomly(sum(lengths) / len(lengths))), ("words of the taxonomy's list", words())):
        out = os.path.join(folder, "baseline.jsonl")
        write(out, [with_spans(r, baseline(r["data"]["tokens"])) for r in tagged])
        row(name, reference, out)


def row(name, reference, out):
    c = compare(reference, out)[0]
    t, o = c["spans"]["tokens"], c["spans"]["overlap"]
    ekman = next((x for x in c["labels"] if x["level"] == "ekman"), None)
    macro = f"{ekman['macro']['f1']['value']:.3f}" if ekman else "–"
    print(f"| {name} | {interval(t['f1'])} | {t['precision']['value']:.3f} | {t['recall']['value']:.3f} | {o['f1']['value']:.3f} | {macro} |", flush=True)


def whole(tokens):
    return [(0, len(tokens) - 1)]


def randomly(length):
    rng = random.Random(1)

    def run(tokens):
        n = min(len(tokens), max(1, round(length)))
        start = rng.randrange(len(tokens) - n + 1)
        return [(start, start + n - 1)]

    return run


def words():
    """The names and one-word synonyms of the taxonomy's emotions."""
    with open(os.path.join(TOP, "dataset", "taxonomy.json"), encoding="utf-8") as f:
        taxonomy = json.load(f)
    known = {w for e in taxonomy["emotions"] if e["name"] != taxonomy["neutral"] for w in [e["name"], *e["synonyms"]] if " " not in w}
    return lambda tokens: [(i, i) for i, t in enumerate(tokens) if t.lower() in known]


def with_spans(record, runs):
    """The record with other spans, all of one emotion: only where they lie is looked at."""
    tokens = record["data"]["tokens"]
    labels, spans_ = ["O"] * len(tokens), []
    for start, end in runs:
        labels[start:end + 1] = ["B-EMO"] + ["I-EMO"] * (end - start)
        spans_.append({"type": "EMO", "subtype": "Joy", "start": start, "end": end, "text": " ".join(tokens[start:end + 1]), "attrs": {}})
    return {**record, "predictions": ["joy"] if spans_ else ["neutral"], "data": {"tokens": tokens, "labels": labels, "spans": spans_}}


def confidence(args, folder):
    reference = os.path.join(folder, "few.jsonl")
    truth = {r["src_id"]: r["labels"] for r in head(os.path.join(DATA, "goemotions", "dev.tsv"), reference, args.confident)}
    plots = []
    print(f"\n## Confidence: {len(truth)} rows\n")
    print("| model | confidence | spans | mean | right | expected calibration error |")
    print("|---|---|---|---|---|---|")
    for model in args.models.split(","):
        for name, flags in (("as the model writes it", []), ("--confidence model", ["--confidence", "model"]), ("--confidence model --calibrate auto", ["--confidence", "model", "--calibrate", "auto"])):
            out = os.path.join(folder, "confidence.jsonl")
            pairs = [(s["attrs"]["confidence"], s["subtype"].lower() in truth[r["src_id"]])
                     for r in tag(args, model, reference, out, *flags) for s in r["data"]["spans"]]
            bins = [[p for p in pairs if min(int(p[0] * BINS), BINS - 1) == b] for b in range(BINS)]
            error = sum(abs(sum(c for c, _ in b) - sum(right for _, right in b)) for b in bins) / len(pairs)
            mean, right = (sum(column) / len(pairs) for column in zip(*pairs))
            print(f"| {model} | {name} | {len(pairs)} | {mean:.3f} | {right:.3f} | {error:.3f} |", flush=True)
            plots.append((model, name, bins))
    print(f"\nShare of right emotions by confidence, in {BINS} bins (spans of the bin in brackets):\n")
    print("| model | confidence |" + "".join(f" {b / BINS:.1f}–{(b + 1) / BINS:.1f} |" for b in range(BINS)))
    print("|---|---|" + "---|" * BINS)
    for model, name, bins in plots:
        print(f"| {model} | {name} |" + "".join(f" {sum(r for _, r in b) / len(b):.2f} ({len(b)}) |" if b else " |" for b in bins))
    if args.figure:
        draw(plots, args.figure)


def draw(plots, path):
    """The reliability plot: a panel for each model, a dot for each bin that has spans, larger for more of them."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams["svg.hashsalt"] = "quality"
    models = list(dict.fromkeys(model for model, _, _ in plots))
    figure, axes = plt.subplots(1, len(models), figsize=(4.5 * len(models), 4.5), sharey=True, squeeze=False)
    for axis, model in zip(axes[0], models):
        axis.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=0.8, label="as sure as right")
        for of, name, bins in plots:
            if of != model:
                continue
            dots = [(sum(c for c, _ in b) / len(b), sum(right for _, right in b) / len(b), len(b)) for b in bins if b]
            line, = axis.plot([d[0] for d in dots], [d[1] for d in dots], linewidth=0.8, label=name)
            axis.scatter([d[0] for d in dots], [d[1] for d in dots], s=[3 * d[2] ** 0.75 for d in dots], color=line.get_color())
        axis.set(title=model, xlabel="confidence of a span, mean of the bin", xlim=(0, 1), ylim=(0, 1.02))
        axis.legend(loc="upper left", fontsize=8)
    axes[0][0].set(ylabel="share whose emotion is a label of the text")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    args = options()
    if not os.path.exists(os.path.join(DATA, "goemotions", "dev.tsv")):
        sys.exit(f"quality: no goemotions/dev.tsv in {DATA}: name its folder by DATA")
    with tempfile.TemporaryDirectory() as folder:
        for table in args.tables.split(","):
            {"emotions": emotions, "spans": spans, "confidence": confidence}[table](args, folder)


if __name__ == "__main__":
    main()
