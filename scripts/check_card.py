#!/usr/bin/env python3
"""Checks records against the dataset card's rules, independently of the program's own validator: check_card.py FILE...

Written from the card and from what the README promises, with nothing but the standard library. Prints each fault as
FILE:LINE: FAULT and exits 1 where there is one, or where there are no records.
"""
import json
import re
import sys

# What a record is: the keys in this order, the types exactly these. A list has one kind of element.
RECORD = {
    "src_id": str, "model": str, "provider": str, "prompt": str, "level": str, "predictions": [str], "text": str,
    "data": {
        "tokens": [str],
        "labels": [str],
        "spans": [{
            "type": str, "subtype": str, "start": int, "end": int, "text": str,
            "attrs": {
                "valence": str, "intensity": str, "certainty": str, "temporality": str, "source": str, "emotion_group": str,
                "sentence_index": int, "clause_index": int, "confidence": float, "target_text": str, "target_relation": str,
            },
        }],
    },
}
VOCABULARIES = {
    "valence": {"pos", "neg", "neu", "mixed"},
    "intensity": {"low", "med", "high"},
    "certainty": {"asserted", "hedged", "negated", "hypothetical", "questioned"},
    "temporality": {"past", "present", "future", "none"},
    "source": {"self", "other", "group", "unknown"},
    "emotion_group": {"positive_affect", "negative_affect", "ambiguous_affect", "neutral"},
    "target_relation": {"cause", "target", "experiencer", "none"},
}
EMOTIONS = set(
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust "
    "embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness "
    "surprise neutral".split()
)
# A target need not stand in the text where it is a pronoun: "you" is what "Stop asking me" is addressed to.
PRONOUNS = set(
    "i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our "
    "ours ourselves they them their theirs themself themselves this that these those who whom someone somebody everyone "
    "everybody anyone anybody one".split()
)


def read(line):
    """Parses a line; ValueError where it is not JSON, or JSON that readers take differently."""

    def distinct(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ValueError(f"a key twice in {keys}")
        return dict(pairs)

    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    return json.loads(line, object_pairs_hook=distinct, parse_constant=refuse)


def misshapen(value, shape, path=""):
    if isinstance(shape, type):
        if type(value) is not shape:
            yield f"{path or '/'} is {value!r}, not {shape.__name__}"
    elif type(value) is not type(shape):
        yield f"{path or '/'} is not a {type(shape).__name__}"
    elif isinstance(shape, list):
        for i, element in enumerate(value):
            yield from misshapen(element, shape[0], f"{path}/{i}")
    elif list(value) != list(shape):
        yield f"{path or '/'} has the keys {list(value)}"
    else:
        for key in shape:
            yield from misshapen(value[key], shape[key], f"{path}/{key}")


def offsets(text, tokens):
    """Where each token stands in the text, or None where the tokens and white space are not the whole text."""
    at, places = 0, []
    for token in tokens:
        while at < len(text) and text[at].isspace():
            at += 1
        if not token or not text.startswith(token, at):
            return None
        places.append((at, at + len(token)))
        at += len(token)
    return places if (not text[at:] or text[at:].isspace()) else None


def spans_from_labels(labels):
    """Decodes BIO tags to [start, end] pairs; None for another tag, or an I that follows neither its B nor its I."""
    spans, last = [], "O"
    for i, label in enumerate(labels):
        if label not in ("O", "B-EMO", "I-EMO") or (label == "I-EMO" and last == "O"):
            return None
        if label == "B-EMO":
            spans.append([i, i])
        elif label == "I-EMO":
            spans[-1][1] = i
        last = label
    return spans


def span_faults(span, record, places):
    predictions, text, attrs = record["predictions"], record["text"], span["attrs"]
    if span["text"] != text[places[span["start"]][0]:places[span["end"]][1]]:
        yield f"span text {span['text']!r} is not tokens {span['start']} to {span['end']}"
    if span["type"] != "EMO":
        yield f"type {span['type']}"
    if span["subtype"] != span["subtype"].capitalize() or span["subtype"].lower() not in predictions:
        yield f"subtype {span['subtype']}, predictions {predictions}"
    for name, allowed in VOCABULARIES.items():
        if attrs[name] not in allowed:
            yield f"{name} {attrs[name]!r}"
    for name in ("sentence_index", "clause_index"):
        if not 0 <= attrs[name] < len(places):
            yield f"{name} {attrs[name]} of {len(places)} tokens"
    if not 0 <= attrs["confidence"] <= 1:
        yield f"confidence {attrs['confidence']}"
    target = attrs["target_text"]
    if (target == "") != (attrs["target_relation"] == "none"):
        yield f"target {target!r}, relation {attrs['target_relation']}"
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    # A lookahead, so that occurrences that overlap are all seen.
    run = any(m.start() in starts and m.start() + len(target) in ends for m in re.finditer(f"(?={re.escape(target)})", text))
    if target and not run and target.lower() not in PRONOUNS:
        yield f"target {target!r} is neither a run of tokens nor a pronoun"


def faults(record, ids):
    wrong = list(misshapen(record, RECORD))
    if wrong:
        yield from wrong
        return
    for key in ("src_id", "model", "provider", "prompt", "text"):
        if not record[key]:
            yield f"{key} is empty"
    if record["src_id"] in ids:
        yield f"src_id {record['src_id']} is an earlier record's"
    ids.add(record["src_id"])
    if record["level"] != "level2":
        yield f"level {record['level']}"
    predictions, (tokens, labels, spans) = record["predictions"], record["data"].values()
    if not predictions or len(set(predictions)) != len(predictions) or set(predictions) - EMOTIONS:
        yield f"predictions {predictions}"
    if "neutral" in predictions and len(predictions) > 1:
        yield "neutral does not stand alone"
    if len(tokens) != len(labels):
        yield f"{len(tokens)} tokens, {len(labels)} labels"
        return
    places = offsets(record["text"], tokens)
    if places is None:
        yield f"the tokens are not the text's: {tokens}"
        return
    pairs = [[span["start"], span["end"]] for span in spans]
    if spans_from_labels(labels) != pairs:
        yield f"labels {labels} say otherwise than spans {pairs}"
        return
    if record["prompt"] == "simple" and spans:
        yield "spans under the prompt simple"
    if record["prompt"] != "simple" and not spans and "neutral" not in predictions:
        yield f"predictions {predictions} without a span"
    for span in spans:
        yield from span_faults(span, record, places)


def main():
    count = bad = 0
    ids = set()
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                count += 1
                try:
                    found = list(faults(read(line), ids))
                except ValueError as error:
                    found = [f"not a line of JSON: {error}"]
                bad += len(found)
                for fault in found:
                    print(f"{path}:{number}: {fault}")
    print(f"{count} records checked, {bad} faults")
    sys.exit(1 if bad or not count else 0)


if __name__ == "__main__":
    main()
