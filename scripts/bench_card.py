"""What a language model is asked for, and what its answer is worth: the pure parts of bench_peers.py.

The record's shape and the meaning of alignment are check_card.py's; the vocabularies are dataset/taxonomy.json's.
"""
import csv
import json
import statistics

import check_card

# As generous as short texts need. Without them a small model fills a list until its tokens run out, and the peer pays for it.
MAX_TOKENS_OF_TEXT, MAX_TOKEN_LENGTH, MAX_EMOTIONS, MAX_QUOTE, MAX_TARGET = 64, 24, 3, 200, 60

# Two answered texts, as the chat's earlier turns: text, tokens, quote (its first and last token, emotion, attributes).
EXAMPLES = [
    ("The meeting has moved to room four.", "The meeting has moved to room four .", None),
    ("I was so relieved when the ferry finally showed up!", "I was so relieved when the ferry finally showed up !",
     (2, 3, "relief", {"intensity": "high", "certainty": "asserted", "temporality": "past", "source": "self",
                       "confidence": 0.92, "target_text": "the ferry", "target_relation": "cause"})),
]


def load_taxonomy(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def vocabularies(taxonomy):
    return {attribute["name"]: [value["name"] for value in attribute["values"]] for attribute in taxonomy["attributes"]}


def labels(taxonomy):
    return ["O"] + [prefix + name for name in taxonomy["span_types"] for prefix in ("B-", "I-")]


def obj(properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def array(items, least, most):
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def string(least, most):
    return {"type": "string", "minLength": least, "maxLength": most}


def answer_schema(taxonomy):
    """The JSON schema of what the model writes: the card's record without the parts that are known before."""
    emotions = [emotion["name"] for emotion in taxonomy["emotions"]]
    vocabulary = vocabularies(taxonomy)
    index = {"type": "integer", "minimum": 0, "maximum": MAX_TOKENS_OF_TEXT - 1}
    of_type = {int: index, float: {"type": "number", "minimum": 0, "maximum": 1}, str: string(0, MAX_TARGET)}
    span = check_card.RECORD["data"]["spans"][0]
    attributes = {name: {"enum": vocabulary[name]} if name in vocabulary else of_type[kind] for name, kind in span["attrs"].items()}
    return obj({
        "predictions": array({"enum": emotions}, 1, MAX_EMOTIONS),
        "data": obj({
            "tokens": array(string(1, MAX_TOKEN_LENGTH), 1, MAX_TOKENS_OF_TEXT),
            "labels": array({"enum": labels(taxonomy)}, 1, MAX_TOKENS_OF_TEXT),
            "spans": array(obj({
                "type": {"enum": taxonomy["span_types"]},
                "subtype": {"enum": [name.capitalize() for name in emotions]},
                "start": index, "end": index, "text": string(1, MAX_QUOTE), "attrs": obj(attributes),
            }), 0, MAX_EMOTIONS),
        }),
    })


def system_prompt(taxonomy):
    vocabulary = vocabularies(taxonomy)
    return "\n".join([
        "You tag emotions in text. For the user's text write one JSON object:",
        "- predictions: the one to three emotions that it expresses, of these: "
        + ", ".join(emotion["name"] for emotion in taxonomy["emotions"]) + ".",
        "- data.tokens: its words and punctuation marks, in order, copied exactly.",
        "- data.labels: for each token one of " + ", ".join(labels(taxonomy))
        + ": B begins the words that carry an emotion, I goes on with them, O is everything else.",
        "- data.spans: each of those runs of words: its type, the emotion as subtype, its first and last token by number from 0, "
        "its text and its attributes: " + "; ".join(f"{name} ({', '.join(values)})" for name, values in vocabulary.items())
        + "; confidence (0 to 1); target_text (what the emotion is about, or empty).",
        f"A text without emotion is {taxonomy['neutral']}, with no spans.",
    ])


def example_answer(taxonomy, text, tokens, quote):
    tokens = tokens.split(" ")
    tags, spans, predictions = ["O"] * len(tokens), [], [taxonomy["neutral"]]
    if quote:
        first, last, name, said = quote
        kind = taxonomy["span_types"][0]
        emotion = next(e for e in taxonomy["emotions"] if e["name"] == name)
        places = check_card.offsets(text, tokens)
        known = {"valence": emotion["valence"], "emotion_group": emotion["group"], "sentence_index": 0, "clause_index": 0, **said}
        tags[first:last + 1] = ["B-" + kind] + ["I-" + kind] * (last - first)
        predictions = [name]
        spans.append({
            "type": kind, "subtype": name.capitalize(), "start": first, "end": last, "text": text[places[first][0]:places[last][1]],
            "attrs": {key: known[key] for key in check_card.RECORD["data"]["spans"][0]["attrs"]},
        })
    return {"predictions": predictions, "data": {"tokens": tokens, "labels": tags, "spans": spans}}


def chat_messages(taxonomy, text):
    messages = [{"role": "system", "content": system_prompt(taxonomy)}]
    for example in EXAMPLES:
        answer = json.dumps(example_answer(taxonomy, *example), ensure_ascii=False, separators=(",", ":"))
        messages += [{"role": "user", "content": example[0]}, {"role": "assistant", "content": answer}]
    return messages + [{"role": "user", "content": text}]


def record_from_answer(answer, row, model):
    """The card's record, of a model's answer to one row and what is known of it; None where the answer is not such JSON."""
    try:
        parsed = json.loads(answer)
        record = {
            "src_id": row["id"], "model": model, "provider": "llama-server", "prompt": "level_2", "level": "level2",
            "predictions": parsed["predictions"], "text": row["text"], "data": parsed["data"],
        }
        for span in record["data"]["spans"]:
            span["attrs"]["confidence"] = float(span["attrs"]["confidence"])
    except (ValueError, TypeError, LookupError):
        return None
    return record


def is_aligned(record):
    """Whether tokens, labels and spans agree with the text and with one another; the values may be wrong."""
    if any(check_card.misshapen(record, check_card.RECORD)):
        return False
    text, (tokens, tags, spans) = record["text"], record["data"].values()
    places = check_card.offsets(text, tokens)
    if places is None or len(tags) != len(tokens):
        return False
    if check_card.spans_from_labels(tags) != [[span["start"], span["end"]] for span in spans]:
        return False
    return all(span["text"] == text[places[span["start"]][0]:places[span["end"]][1]] for span in spans)


def is_json(answer):
    try:
        json.loads(answer)
    except ValueError:
        return False
    return True


def read_texts(path):
    """Rows of id and text: GoEmotions' TSV (text, labels, id), JSONL with a text (and an id or src_id), else a text a line."""
    with open(path, encoding="utf-8", newline="" if path.endswith(".tsv") else None) as f:
        if path.endswith(".tsv"):
            rows = [(cells[2], cells[0]) for cells in csv.reader(f, delimiter="\t")]
        elif path.endswith(".jsonl"):
            objects = [json.loads(line) for line in f if line.strip()]
            rows = [(o.get("id", o.get("src_id", i)), o["text"]) for i, o in enumerate(objects, 1)]
        else:
            rows = [(i, line.strip()) for i, line in enumerate(f, 1)]
    return [{"id": str(i), "text": text} for i, text in rows if text.strip()]


def spread(rows, count):
    """So many of the rows, evenly spaced, the first among them."""
    return [rows[i * len(rows) // count] for i in range(count)] if 0 < count < len(rows) else list(rows)


def mean_length(rows):
    return sum(len(row["text"]) for row in rows) / len(rows)


def median_and_range(values):
    return statistics.median(values), min(values), max(values)


def ratios(ours, theirs):
    """Round by round, since machines drift; a round that only one side finished counts for nothing."""
    return [a / b for a, b in zip(ours, theirs)]


def markdown_table(head, rows):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head)] + [line(row) for row in rows])
