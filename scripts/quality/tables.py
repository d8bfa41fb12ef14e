"""The tables. Each function takes a Run and gives rows, dictionaries whose figures are those of metrics.py."""
import dataclasses

import baselines
import metrics
from data import Data, demo_gold, tokens_of, written_tokens
from program import Failed, Program, fitted_to, read_lines, say

ATTRIBUTE_SETS = {
    "certainty": ["uds", "ewt_emo", "gum"],
    "temporality": ["uds", "ewt_emo", "gum"],
    "source": ["eltea17_tok", "reman_attr"],
}
RIGHT_TARGET = 0.5  # tokens' F1 with a role, from which on a target is that role's and its relation is looked at
RELATIONS = ["target", "cause", "experiencer"]  # where a target meets no role, the first of these is the one it should have met
PURE = ["--calibrate", "none", "--decode", "compact"]


@dataclasses.dataclass
class Run:
    """What every table needs. fitted has for each calibration of each model what it was fitted to."""

    program: Program
    data: Data
    models: list
    fits: bool = True
    fitted: dict = dataclasses.field(default_factory=dict)

    def tag(self, model, name, texts, calibration="default", flags=()):
        records, manifest = self.program.tag(f"{name}.{calibration}", model, texts, *flags)
        self.fitted[f"{model}, {calibration}"] = fitted_to(manifest)
        return records

    def read(self, model, name, texts, with_spans=True):
        return self.program.read(name, model, texts, with_spans)


# Emotions


def emotions_of(record):
    """An emotion counts where it has a span; a record without a span is neutral, a rejected text has nothing."""
    if record is None:
        return []
    return sorted({s["subtype"].lower() for s in record["data"]["spans"]}) or ["neutral"]


def sureness(record, labels):
    """The confidence of each span, with whether its emotion is a label of the text."""
    return [(s["attrs"]["confidence"], s["subtype"].lower() in labels) for s in record["data"]["spans"]] if record else []


def calibrations(run, model):
    """The calibrations that emotions are read by, each with its flags for tag."""
    found = {"default": [], "none": ["--calibrate", "none"]}
    if run.fits:
        found["corpus alone"] = ["--calibrate", run.program.calibration("corpus", model)]
        found["no labels"] = ["--calibrate", run.program.calibration("no-labels", model, "--no-labels")]
    return found


def emotion_row(who, calibration, rows, given, pairs, names):
    documents = [r["doc"] for r in rows]
    sets = metrics.label_sets(documents, [r["labels"] for r in rows], given, names)
    return {"who": who, "calibration": calibration, **sets, "error": metrics.calibration_error(documents, pairs)["error"] if pairs else None}


def emotions(run):
    rows, names = run.data.dev(), run.data.label_names()
    table = []
    for model in run.models:
        for calibration, flags in calibrations(run, model).items():
            records = run.tag(model, "dev", rows, calibration, flags)
            pairs = [sureness(record, r["labels"]) for record, r in zip(records, rows)]
            table.append(emotion_row(model, calibration, rows, [emotions_of(r) for r in records], pairs, names))
    say("logistic regression over words")
    bag = run.program.kept("bag-of-words", lambda: baselines.bag_of_words(run.data.train(), rows, names))
    pairs = [[(p, n in r["labels"]) for n, p in labels] for labels, r in zip(bag["labels"], rows)]
    table.append(emotion_row("logistic regression over words and word pairs", f"{bag['rows']} rows of GoEmotions' train set", rows,
                             [[n for n, _ in labels] for labels in bag["labels"]], pairs, names))
    table.append(emotion_row("word list", "nothing", rows, [baselines.listed_emotions(r["text"]) for r in rows], None, names))
    table.append(emotion_row("always neutral", "nothing", rows, [["neutral"] for _ in rows], None, names))
    return table


# Spans


def span_sets(run):
    """The sets whose spans are looked for: texts that have one."""
    return {
        "REMAN": run.data.reman_unseen(),
        "tweetspan": run.data.field_set("tweetspan", lambda r: r["spans"]),
        "eltea17_tok": run.data.field_set("eltea17_tok", lambda r: r["spans"]),
    }


def span_row(name, who, texts, records, given):
    there = [(t, r, g) for t, r, g in zip(texts, records, given) if r]
    lengths = [len(r["data"]["tokens"]) for _, r, _ in there]
    gold = [tokens_of(t["text"], r["data"]["tokens"], t["spans"]) for t, r, _ in there]
    return {"set": name, "who": who, **metrics.tokens([t["doc"] for t, _, _ in there], gold, [g for _, _, g in there], lengths)}


def spans(run):
    table = []
    for name, texts in span_sets(run).items():
        for model in run.models:
            records = run.tag(model, name, texts)
            table.append(span_row(name, model, texts, records, [written_tokens(r) if r else set() for r in records]))
        words = [r["data"]["tokens"] if r else [] for r in records]
        table.append(span_row(name, "whole text", texts, records, [set(range(len(w))) for w in words]))
        table.append(span_row(name, "word list", texts, records, [baselines.listed_tokens(w) for w in words]))
    return table


# Attributes of a span or a text


def commonest(values):
    return max(sorted(set(values)), key=values.count) if values else ""


def attribute_row(name, who, cases):
    """cases are (document, people's value, the program's)."""
    documents, gold, given = map(list, zip(*cases)) if cases else ([], [], [])
    constant = commonest(gold)
    scores = metrics.classes(documents, gold, [constant] * len(gold))
    return {"set": name, "who": who, **metrics.classes(documents, gold, given), "constant": constant,
            "constant_macro": scores["macro"], "constant_accuracy": scores["accuracy"]}


def span_cases(texts, readings, field):
    """The spans that people gave a value of the field."""
    return [(t["doc"], s[field], read["values"][field]) for t, reading in zip(texts, readings)
            for s, read in zip(t["spans"], reading["spans"]) if field in s]


def attribute(field):
    def table(run):
        rows = []
        sets = {name: run.data.field_set(name, lambda r: r["spans"]) for name in ATTRIBUTE_SETS[field]}
        for model in run.models:
            cases = {name: span_cases(texts, run.read(model, name, texts), field) for name, texts in sets.items()}
            rows += [attribute_row(name, model, c) for name, c in cases.items()]
            rows.append(attribute_row("all of these", model, [c for of_set in cases.values() for c in of_set]))
        return rows

    return table


def intensity(run):
    texts = run.data.field_set("brighter", lambda r: "intensity" in r)
    fiction = run.data.field_set("reman_attr", lambda r: r["spans"])
    rows = []
    for model in run.models:
        readings = run.read(model, "brighter", texts, with_spans=False)
        rows.append(attribute_row("brighter, whole texts", model, [(t["doc"], t["intensity"], r["spans"][0]["values"]["intensity"]) for t, r in zip(texts, readings)]))
        rows.append(attribute_row("reman_attr, spans called strong or weak", model, span_cases(fiction, run.read(model, "reman_attr", fiction), "intensity")))
    return rows


def text_valence(reading):
    """neu where no emotion but neutral is chosen, else the valence that is read of the whole text."""
    if set(reading["chosen"]) <= {"neutral"}:
        return "neu"
    return reading["spans"][0]["values"]["valence"]


def valence(run):
    tweets = run.data.field_set("tweetspan", lambda r: r["spans"])
    texts = run.data.field_set("emobank", lambda r: "valence" in r)
    rows = []
    for model in run.models:
        rows.append(attribute_row("tweetspan, spans", model, span_cases(tweets, run.read(model, "tweetspan", tweets), "valence")))
        readings = run.read(model, "emobank", texts, with_spans=False)
        rows.append(attribute_row("emobank, whole texts", model, [(t["doc"], t["valence"], text_valence(r)) for t, r in zip(texts, readings)]))
    return rows


# Targets


@dataclasses.dataclass
class Case:
    """An emotion span of people's that one of the record's spans meets, with the roles that people gave it."""

    doc: str
    tokens: list
    span: dict
    roles: list  # pairs of tokens' numbers and relations


def roles_of(text, tokens, span):
    """The roles of a span, by place: words that are both target and cause are one role with two relations."""
    found = {}
    for role in span.get("target", []):
        found.setdefault((role["start"], role["end"]), (role, set()))[1].add(role["relation"])
    return [(tokens_of(text, tokens, [role]), relations) for role, relations in found.values()]


def cases_of(text, record):
    """Each span of people's with the record's span that meets most of it."""
    tokens = record["data"]["tokens"]
    for gold in text["spans"]:
        wanted = tokens_of(text["text"], tokens, [gold])
        met = [(len(wanted & set(range(s["start"], s["end"] + 1))), -i) for i, s in enumerate(record["data"]["spans"])]
        if met and max(met)[0]:
            yield Case(text["doc"], tokens, record["data"]["spans"][-max(met)[1]], roles_of(text["text"], tokens, gold))


def place_of(tokens, phrase, near):
    """The numbers of the tokens that a phrase is, where it stands nearest to token number near; empty where it stands nowhere."""
    wanted, best = "".join(phrase.split()), set()
    for start in range(len(tokens)):
        joined, end = "", start
        while end < len(tokens) and len(joined) < len(wanted):
            joined += "".join(tokens[end].split())
            end += 1
        if wanted and joined == wanted and (not best or abs(start - near) < abs(min(best) - near)):
            best = set(range(start, end))
    return best


def likeness(a, b):
    return 2 * len(a & b) / max(len(a) + len(b), 1)


def role_met(roles, given):
    """The role that a target is nearest to."""
    def rank(role):
        return likeness(role[0], given), -min(RELATIONS.index(r) for r in role[1])

    return max(roles, key=rank, default=(set(), set()))


def target_row(who, cases, given):
    roles = [role_met(c.roles, g) for c, g in zip(cases, given)]
    scores = metrics.tokens([c.doc for c in cases], [tokens for tokens, _ in roles], given, [len(c.tokens) for c in cases])
    return {"who": who, **scores}, [(c, relations) for c, (tokens, relations), g in zip(cases, roles, given) if likeness(tokens, g) >= RIGHT_TARGET]


def relation_row(model, right):
    documents = [c.doc for c, _ in right]
    constant = commonest([r for _, relations in right for r in sorted(relations)])
    return {"who": model, "n": len(right), "accuracy": metrics.share(documents, [c.span["attrs"]["target_relation"] in r for c, r in right]),
            "constant": constant, "constant_accuracy": metrics.share(documents, [constant in r for _, r in right])}


def targets(run):
    texts = run.data.field_set("reman_attr", lambda r: r["spans"])
    rows = []
    for model in run.models:
        records = run.tag(model, "reman_attr", texts)
        cases = [c for t, r in zip(texts, records) if r for c in cases_of(t, r)]
        placed = [place_of(c.tokens, c.span["attrs"]["target_text"], c.span["start"]) for c in cases]
        row, right = target_row(model, cases, placed)
        next_row, _ = target_row(f"next phrase behind {model}'s spans", cases, [baselines.next_phrase(c.tokens, c.span["end"]) for c in cases])
        rows += [{"part": "target", **row}, {"part": "target", **next_row}, {"part": "relation", **relation_row(model, right)}]
    return rows


# The demo


def demo(run):
    path = demo_gold.TOP + "/examples/sentences"
    with open(path + ".txt", encoding="utf-8", newline="\n") as f:
        texts = [{"id": str(i), "text": line.strip()} for i, line in enumerate(f) if line.strip()]
    texts, golds = run.data.cut(texts), run.data.cut(read_lines(path + ".gold.jsonl"))
    rows = []
    for model in run.models:
        records = run.tag(model, "sentences", texts)
        if None in records:
            raise Failed(f"{model}: a sentence of the demo was rejected")
        rows += [{"who": model, **row} for row in demo_rows(records, golds)]
    return rows


def demo_rows(records, golds, samples=1000):
    """demo_gold's rows as shares of the texts, with intervals over texts."""
    drawn = {}
    for often in metrics.weights(len(records), samples):
        chosen = [i for i, n in enumerate(often) for _ in range(n)]
        for row in demo_gold.count([records[i] for i in chosen], [golds[i] for i in chosen]):
            if row.of:
                drawn.setdefault(row.what, []).append(row.right / row.of)
    return [{"what": demo_gold.EXPLAINED[r.what], "n": r.of, "right": metrics.spread(r.right / r.of, drawn[r.what]),
             "constant": r.constant, "constant_right": r.constant_right / r.of} for r in demo_gold.count(records, golds) if r.of]
