#!/usr/bin/env python3
"""Checks records against the dataset card's rules, independently of the program's own validator: check_card.py FILE...

Written from the card and from what the README promises, with nothing but the standard library. Prints each fault and exits 1
where there is one, or where there are no records.
"""
import json
import re
import sys

KEYS = ["src_id", "model", "provider", "prompt", "level", "predictions", "text", "data"]
DATA_KEYS = ["tokens", "labels", "spans"]
SPAN_KEYS = ["type", "subtype", "start", "end", "text", "attrs"]
ATTRS = {
    "valence": {"pos", "neg", "neu", "mixed"},
    "intensity": {"low", "med", "high"},
    "certainty": {"asserted", "hedged", "negated", "hypothetical", "questioned"},
    "temporality": {"past", "present", "future", "none"},
    "source": {"self", "other", "group", "unknown"},
    "emotion_group": {"positive_affect", "negative_affect", "ambiguous_affect", "neutral"},
    "sentence_index": int,
    "clause_index": int,
    "confidence": float,
    "target_text": str,
    "target_relation": {"cause", "target", "experiencer", "none"},
}
EMOTIONS = set(
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust "
    "embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness "
    "surprise neutral".split()
)


def offsets(record):
    """Where each token stands in the text, or None where the tokens are not the text's."""
    text, at, places = record["text"], 0, []
    for token in record["data"]["tokens"]:
        while at < len(text) and text[at].isspace():
            at += 1
        if not token or not text.startswith(token, at):
            return None
        places.append((at, at + len(token)))
        at += len(token)
    return places if text[at:].strip() == "" else None


def spans_from_labels(labels):
    """Decodes BIO tags; None where an I follows neither its B nor its I."""
    spans, last = [], "O"
    for i, label in enumerate(labels):
        match = re.fullmatch(r"O|[BI]-EMO", label)
        if not match or (label[0] == "I" and last == "O"):
            return None
        if label[0] == "B":
            spans.append([i, i])
        elif label[0] == "I":
            spans[-1][1] = i
        last = label
    return spans


def faults(r):
    if list(r) != KEYS or list(r["data"]) != DATA_KEYS:
        yield f"keys {list(r)}, {list(r.get('data', {}))}"
        return
    tokens, labels, spans = (r["data"][k] for k in DATA_KEYS)
    predictions = r["predictions"]
    if not predictions or len(set(predictions)) != len(predictions) or set(predictions) - EMOTIONS:
        yield f"predictions {predictions}"
    if "neutral" in predictions and len(predictions) > 1:
        yield "neutral does not stand alone"
    if len(tokens) != len(labels):
        yield f"{len(tokens)} tokens, {len(labels)} labels"
        return
    places = offsets(r)
    if places is None:
        yield f"the tokens are not the text's: {tokens}"
        return
    if spans_from_labels(labels) != [[s["start"], s["end"]] for s in spans]:
        yield f"labels {labels} say otherwise than spans {[(s['start'], s['end']) for s in spans]}"
        return
    for s in spans:
        if list(s) != SPAN_KEYS or list(s["attrs"]) != list(ATTRS):
            yield f"span keys {list(s)}, {list(s['attrs'])}"
            continue
        if s["text"] != r["text"][places[s["start"]][0]:places[s["end"]][1]]:
            yield f"span text {s['text']!r} is not tokens {s['start']} to {s['end']}"
        if s["type"] != "EMO" or s["subtype"] != s["subtype"].capitalize() or s["subtype"].lower() not in predictions:
            yield f"type {s['type']}, subtype {s['subtype']}, predictions {predictions}"
        attrs = s["attrs"]
        for name, allowed in ATTRS.items():
            value = attrs[name]
            if (value not in allowed) if isinstance(allowed, set) else (type(value) is not allowed):
                yield f"{name} {value!r}"
        if not 0 <= attrs["confidence"] <= 1:
            yield f"confidence {attrs['confidence']}"
        if (attrs["target_text"] == "") != (attrs["target_relation"] == "none"):
            yield f"target {attrs['target_text']!r}, relation {attrs['target_relation']}"
        starts, ends = {a for a, _ in places}, {b for _, b in places}
        target = attrs["target_text"]
        runs = any(m.start() in starts and m.end() in ends for m in re.finditer(re.escape(target), r["text"])) if target else True
        if not runs and not re.fullmatch(r"[A-Za-z]{1,10}", target):
            yield f"target {target!r} is neither a run of tokens nor a pronoun"


def main():
    count = bad = 0
    for path in sys.argv[1:]:
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            count += 1
            for fault in faults(json.loads(line)):
                bad += 1
                print(f"{path}:{number}: {fault}")
    print(f"{count} records checked, {bad} faults")
    sys.exit(1 if bad or not count else 0)


if __name__ == "__main__":
    main()
