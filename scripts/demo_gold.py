"""Holds the demo's records against examples/sentences.gold.jsonl, whose fields examples/README.md describes.

Each Row counts texts: how many are right, and how many of the same texts the best constant answer gets right.
"""
import collections
import json
import os
import re
import unicodedata

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ATTRIBUTES = ["certainty", "temporality", "source"]
LONGEST = 8  # words of a span; a longer one points at nothing
SHOWN = [5, 17, 29, 41, 53]
BY_VALUE = {name: name + " by value" for name in ATTRIBUTES}
MUST_EXCEED = ["emotion", "sign", "span", *BY_VALUE.values(), "target"]
SIGNS = {"positive_affect": "positive", "negative_affect": "negative"}

# Words that carry no emotion by themselves: a span of nothing else meets nothing, and the constant span is none of them.
FUNCTION_WORDS = set(
    "a an the and but or so as if than that this these those there here how what when where which while who why whether "
    "i me my mine myself you your yours he him his she her hers it its we us our ours they them their theirs "
    "at by down for from in into of off on onto out over through to under up with without about after before "
    "am are be been being is was were do does did have has had can ca could may might must shall should will wo would "
    "no not yes".split()
)

# what: the name of what is counted; constant: the answer that is right for most of the texts, of which it gets `constant_right`
Row = collections.namedtuple("Row", "what right of constant constant_right")


def taxonomy_signs():
    """The emotions that are positive or negative, each with its sign. The others have none."""
    with open(os.path.join(TOP, "dataset", "taxonomy.json"), encoding="utf-8") as f:
        return {e["name"]: SIGNS[e["group"]] for e in json.load(f)["emotions"] if e["group"] in SIGNS}


def is_content(token):
    stem = re.sub(r"(n['’]t|['’]\w+)$", "", token.casefold())  # "won't" is as "will", "she's" as "she"
    return stem not in FUNCTION_WORDS and any(unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "So" for c in stem)


def token_places(text, tokens):
    """Where each token begins and ends in the text, in characters."""
    places, end = [], 0
    for token in tokens:
        start = text.find(token, end)
        if start < 0:
            raise ValueError(f"token {token!r} is not in {text[end:]!r}")
        end = start + len(token)
        places.append((start, end))
    return places


def gold_tokens(record, words):
    """The numbers of the tokens that a span should meet: those of the gold's words, without function words where there are others."""
    text, tokens = record["text"], record["data"]["tokens"]
    places, found = token_places(text, tokens), set()
    for phrase in words:
        start = text.find(phrase)
        while start >= 0:
            end = start + len(phrase)
            inside = {i for i, (a, b) in enumerate(places) if a < end and b > start}
            found |= {i for i in inside if is_content(tokens[i])} or inside
            start = text.find(phrase, end)
    return found


def spans_right(record, gold):
    """Whether at least half of the record's spans meet the gold's words. Without a span: whether neutral is acceptable."""
    spans = record["data"]["spans"]
    if not spans:
        return "neutral" in gold["emotions"]
    wanted = gold_tokens(record, gold["words"])
    met = sum(len(s["text"].split()) <= LONGEST and not wanted.isdisjoint(range(s["start"], s["end"] + 1)) for s in spans)
    return met * 2 >= len(spans)


def first_content_word_right(record, gold):
    tokens = record["data"]["tokens"]
    first = next((i for i, token in enumerate(tokens) if is_content(token)), None)
    return first in gold_tokens(record, gold["words"])


def gold_sign(gold, signs):
    """positive or negative where every acceptable emotion is, else None."""
    found = {signs.get(e) for e in gold["emotions"]}
    return found.pop() if len(found) == 1 else None


def plain(target):
    """A target without what does not tell two apart: case, marks around it, and an article."""
    words = target.casefold().strip(" .,;:!?\"“”").split()
    return " ".join(words[1:] if words[:1] in (["a"], ["an"], ["the"]) else words)


def targets(record):
    """The targets that a record's spans name, or the empty one where they name none."""
    return {plain(s["attrs"]["target_text"]) for s in record["data"]["spans"]} - {""} or {""}


def row(what, pairs, right, acceptable, name=str):
    """Counts what is right, and what the value that is acceptable most often would get; the first such value where several are."""
    counts = collections.Counter(value for _, gold in pairs for value in dict.fromkeys(acceptable(gold)))
    constant, constant_right = counts.most_common(1)[0] if counts else ("", 0)
    return Row(what, sum(right(*pair) for pair in pairs), len(pairs), name(constant), constant_right)


def by_value(name, pairs):
    """The mean over an attribute's values of how many percent of the texts with that value are right: a constant has one value right."""
    right, of = collections.Counter(), collections.Counter()
    for record, gold in pairs:
        value = gold[name][0]
        of[value] += 1
        right[value] += all(s["attrs"][name] in gold[name] for s in record["data"]["spans"])
    mean = round(sum(100 * right[v] / of[v] for v in of) / len(of)) if of else 0
    return Row(BY_VALUE[name], mean, 100 if of else 0, "any one", round(100 / len(of)) if of else 0)


def count(records, golds):
    """The rows of the table. Attributes and targets are counted where there is an emotion to find and the record has a span."""
    signs = taxonomy_signs()
    pairs = list(zip(records, golds, strict=True))
    signed = [(r, g) for r, g in pairs if gold_sign(g, signs)]
    worded = [(r, g) for r, g in pairs if g["words"]]
    marked = [(r, g) for r, g in worded if r["data"]["spans"]]

    def agrees(record, gold):
        return not any(signs.get(e, gold_sign(gold, signs)) != gold_sign(gold, signs) for e in record["predictions"])

    rows = [
        row("emotion", pairs, lambda r, g: r["predictions"][0] in g["emotions"], lambda g: g["emotions"]),
        row("sign", signed, agrees, lambda g: [gold_sign(g, signs)]),
        Row("span", sum(spans_right(*p) for p in worded), len(worded), "first content word", sum(first_content_word_right(*p) for p in worded)),
    ]
    for name in ATTRIBUTES:
        rows.append(row(name, marked, lambda r, g, name=name: all(s["attrs"][name] in g[name] for s in r["data"]["spans"]), lambda g, name=name: g[name]))
    for name in ATTRIBUTES:
        rows.append(by_value(name, marked))
    rows.append(row("target", marked, lambda r, g: targets(r) <= {plain(t) for t in g["targets"]},
                    lambda g: [plain(t) for t in g["targets"]], lambda t: t or "none"))
    return rows


def not_above(rows):
    """The rows that are refused. Where the constant has every text right, nobody can exceed it: the records must have nine tenths."""
    def refused(r):
        if r.of and r.constant_right == r.of:
            return 10 * r.right < 9 * r.of
        return r.right <= r.constant_right
    return [r.what for r in rows if r.what in MUST_EXCEED and refused(r)]


EXPLAINED = {
    "emotion": "the first emotion is acceptable",
    "sign": "no negative text called positive, or the reverse",
    "span": "half of the spans or more meet the gold's words",
    "target": "every target is acceptable",
    **{name: f"every span's {name} is acceptable" for name in ATTRIBUTES},
    **{BY_VALUE[name]: f"{name}: mean over its values, percent" for name in ATTRIBUTES},
}


def table(rows):
    lines = [f"{'':50}{'right':>6}{'of':>5}   a constant gets"]
    return "\n".join(lines + [f"{EXPLAINED[r.what]:50}{r.right:6}{r.of:5}   {r.constant_right} ({r.constant})" for r in rows])


def shown(records):
    """The records of a fixed choice of lines, text and spans, for reading."""
    lines = []
    for n in SHOWN:
        if n > len(records):
            break
        record = records[n - 1]
        lines.append(f"{n}. {record['text']}")
        for s in record["data"]["spans"]:
            attrs = s["attrs"]
            target = f", {attrs['target_relation']}: {attrs['target_text']!r}" if attrs["target_text"] else ""
            lines.append(f"   {s['subtype'].lower()} {s['text']!r}: " + " ".join(attrs[name] for name in ATTRIBUTES) + target)
        if not record["data"]["spans"]:
            lines.append(f"   {' '.join(record['predictions'])}, no span")
    return "\n".join(lines)
