#!/usr/bin/env python3
"""Checks that a run was the model's work: check_demo.py TEXTS OUT.jsonl

A program that answered every text alike, or without running the model, would pass `emospan validate`. This looks at what
only a real run has: as many records as texts, several emotions, spans of different texts, and sampled tokens and rates in
the manifest that fit them.
"""
import json
import sys

texts_path, out_path = sys.argv[1:3]
texts = [line.rstrip("\n") for line in open(texts_path, encoding="utf-8") if line.strip()]
records = [json.loads(line) for line in open(out_path, encoding="utf-8")]
manifest = json.load(open(out_path + ".manifest.json", encoding="utf-8"))

failures = []


def want(what, ok, found):
    if not ok:
        failures.append(f"{what}; found {found}")


emotions = {e for r in records for e in r["predictions"]}
subtypes = {s["subtype"] for r in records for s in r["data"]["spans"]}
quotes = {s["text"] for r in records for s in r["data"]["spans"]}
spans = sum(len(r["data"]["spans"]) for r in records)
want("at least 60 texts", len(texts) >= 60, len(texts))
want("one record for each text, in order", [r["text"] for r in records] == texts, f"{len(records)} records")
want("no rejects", manifest["rejected"] == 0, manifest["rejected"])
want("at least 5 distinct emotions", len(emotions) >= 5, sorted(emotions))
want("no emotion in more than two thirds of the records",
     max((sum(e in r["predictions"] for r in records) for e in emotions), default=0) * 3 <= 2 * len(records), manifest["emotions"])
want("spans in at least half of the records", spans * 2 >= len(records), spans)
want("spans of at least 5 emotions, quoting different words", len(subtypes) >= 5 and len(quotes) * 4 >= 3 * spans, f"{len(subtypes)} emotions, {len(quotes)} quotes")
want("the manifest's counts to be the file's", (manifest["accepted"], manifest["spans"]) == (len(records), spans), (manifest["accepted"], manifest["spans"]))
want("sampled tokens: at least three for each span and one for each record",
     manifest["sampled_tokens"] >= max(3 * spans, len(records)), manifest["sampled_tokens"])
want("prompt tokens: at least one for each word", manifest["prompt_tokens"] >= sum(len(t.split()) for t in texts), manifest["prompt_tokens"])
if failures:
    sys.exit("demo: the result is not what the model makes of these texts:\n  " + "\n  ".join("want " + f for f in failures))
print(f"demo: {len(records)} records, {spans} spans, {len(emotions)} emotions, 0 rejects, {manifest['sampled_tokens']} sampled tokens")
