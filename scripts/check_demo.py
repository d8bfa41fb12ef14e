#!/usr/bin/env python3
"""Checks that a run was the model's work, and counts how much of it is right: check_demo.py [--strict] TEXTS OUT.jsonl

A program that answered every text alike, or without running the model, would pass `emospan validate`. This looks at what
only a real run has: as many records as texts, several emotions, spans of different words, and sampled tokens and counts in
the manifest that fit them. Says all that is missing, and exits 1 where something is.

Where TEXTS.txt has a TEXTS.gold.jsonl beside it, or --gold names one, it prints how many texts are right, beside what a constant
answer gets, and five records. Emotions, signs, spans and targets must be above their constants, and certainty, temporality and
source by the mean over their values; --lenient only prints them.
"""
import argparse
import collections
import json
import os
import sys

import demo_gold


def read(path, parse):
    try:
        with open(path, encoding="utf-8", newline="\n") as f:
            return parse(f)
    except (OSError, ValueError) as error:
        sys.exit(f"demo: {path}: {error}")


def missing(texts, records, manifest):
    """Yields what a run of the model would have and this one has not."""
    predicted = collections.Counter(e for r in records for e in r["predictions"])
    spans = [s for r in records for s in r["data"]["spans"]]
    subtypes = {s["subtype"] for s in spans}
    quotes = {s["text"] for s in spans}
    tagged = sum(bool(r["data"]["spans"]) for r in records)
    words = sum(len(t.split()) for t in texts)
    counts = {"records": len(records), "accepted": len(records), "rejected": 0, "spans": len(spans), "emotions": dict(predicted)}
    claimed = {name: manifest[name] for name in counts}

    for what, ok, found in [
        ("at least 60 texts", len(texts) >= 60, len(texts)),
        ("one record for each text, in order", [r["text"] for r in records] == texts, f"{len(records)} records of {len(texts)} texts"),
        ("at least 5 distinct emotions", len(predicted) >= 5, sorted(predicted)),
        ("no emotion in more than two thirds of the records",
         max(predicted.values(), default=0) * 3 <= 2 * len(records), predicted.most_common(1)),
        ("spans in at least half of the records", tagged * 2 >= len(records), tagged),
        ("spans of at least 5 emotions", len(subtypes) >= 5, sorted(subtypes)),
        ("three quarters of the spans to quote different words", len(quotes) * 4 >= 3 * len(spans), f"{len(quotes)} quotes in {len(spans)} spans"),
        ("the manifest's counts to be the file's, without rejects", claimed == counts, f"{claimed} for {counts}"),
        ("a calibration, or sampled tokens: at least three for each span and one for each record",
         manifest["calibration"] or manifest["sampled_tokens"] >= max(3 * len(spans), len(records)), manifest["sampled_tokens"]),
        ("prompt tokens: at least one for each word", manifest["prompt_tokens"] >= words, f"{manifest['prompt_tokens']} for {words} words"),
    ]:
        if not ok:
            yield f"want {what}; found {found}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", metavar="TEXTS")
    parser.add_argument("out", metavar="OUT.jsonl")
    parser.add_argument("--gold", metavar="FILE", help="what is right for each text; the default is TEXTS.gold.jsonl, if there is one")
    parser.add_argument("--lenient", action="store_true", help="do not exit 1 where a field is not above its constant")
    args = parser.parse_args()

    texts = read(args.texts, lambda f: [line.strip() for line in f if line.strip()])
    records = read(args.out, lambda f: [json.loads(line) for line in f])
    manifest = read(args.out + ".manifest.json", json.load)
    failures = list(missing(texts, records, manifest))
    if failures:
        sys.exit("\n  ".join(["demo: the result is not what the model makes of these texts:", *failures]))
    spans, emotions = manifest["spans"], len(manifest["emotions"])
    print(f"demo: {len(records)} records, {spans} spans, {emotions} emotions, 0 rejects, {manifest['sampled_tokens']} sampled tokens")

    gold = args.gold or os.path.splitext(args.texts)[0] + ".gold.jsonl"
    if args.gold or os.path.exists(gold):
        compare(texts, records, gold, args.lenient)


def compare(texts, records, gold, lenient):
    golds = read(gold, lambda f: [json.loads(line) for line in f])
    if [g["text"] for g in golds] != texts:
        sys.exit(f"demo: {gold} is not of these texts; it needs a line for each, in order")
    rows = demo_gold.count(records, golds)
    print(f"\nHeld against {gold}, in texts:\n\n{demo_gold.table(rows)}\n\nFive of the records:\n\n{demo_gold.shown(records)}")
    low = demo_gold.not_above(rows)
    if low and not lenient:
        sys.exit(f"demo: not above what a constant gets: {', '.join(low)}")


if __name__ == "__main__":
    main()
