"""Writes docs/measurements/quality.md from the results. Its prose is here; every figure comes from a run."""

HEAD = """# Quality

How well the records of small models agree with what people annotated. `make quality` measures every table of this page and writes it;
`scripts/quality --help` has its options. It needs GoEmotions, REMAN and the field sets in the folder `DATA`.

A figure has its 95 % interval in brackets: the bootstrap draws whole documents with replacement (a book of REMAN, a document of UDS, EWT, GUM and
EmoBank, else a text), {samples} times. Macro-F1 is the mean over the values that people gave; a value that only the program gives is a miss. Beside each figure
stands what a constant gets, the commonest value for every text. All texts are English.

**How often the texts were looked at.** GoEmotions' dev rows: twice before this page's tables. The REMAN texts of the table of spans, and those of certainty, temporality
and source: once before, with the same settings. The other sets: not before. The first 20 texts of each set were used to try the program of the tables. `reman_attr` holds all of REMAN's texts with an emotion, also those that were looked at when the way to find spans was chosen.
Nothing was fitted to any of them, and no setting was chosen by them.{limit}

## Calibrations

The maps from a model's states to the fields are fitted to texts with labels. The tables name the calibrations so: *default* is what `emospan tag` takes of itself; *corpus alone* is
`emospan calibrate` without files; *no labels* is `emospan calibrate --no-labels`; *none* is `tag --calibrate none`, where the model writes the answer.
Fields other than emotions are measured with the default.
"""

PROSE = {
    "emotions": ("Emotions: GoEmotions' dev set, first rows", """An emotion counts where it has a span; a record without a span is neutral. A label has its own F1, and the macro-F1 is the mean over the labels. People give
{people:.2f} labels a text. The expected calibration error has ten bins; it is over the spans, whose emotion is right where it is a label of the text, and for the regression over the labels that it gives.
The regression has TF-IDF of words and word pairs; its strength and its thresholds come from a quarter of the train rows, then it is fitted to all. The word list has a few words for each emotion."""),
    "spans": ("Spans", """Of texts in which people marked a span: the tokens in any span of the record, against the tokens that people marked. REMAN: every sixth text with an emotion, fiction. tweetspan: the words that carry a tweet's
sentiment. eltea17_tok: emotion words of tweets, some four a tweet, of which the recall is to be read."""),
    "certainty": ("Certainty", "Of predicates, one word each, by `emospan read`. Spans to which the set gives no certainty are left out."),
    "temporality": ("Temporality", "Of the same predicates. The sets have no value `none`."),
    "source": ("Source", "Who feels: of people's emotion spans whose experiencer they marked, by `emospan read`."),
    "intensity": ("Intensity", """brighter: of texts with an emotion, how strong the strongest is, by `emospan read` of the whole text. reman_attr: of emotion spans that people called strong (high) or weak (low), by `emospan read` of the span."""),
    "valence": ("Valence", """tweetspan: of the words that carry a tweet's sentiment, by `emospan read` of the span. emobank: of texts, pos, neg or neu; a text is neu where no emotion but neutral is chosen, else it has the
valence that is read of the whole text."""),
    "targets": ("Targets", """reman_attr: of people's emotion spans that a span of the record meets, the tokens of the target against those of the role (target, cause or experiencer) that it is nearest to. A target that stands nowhere in the text is none.
The next phrase is the first run of content words behind the record's span. A record without targets gets 0."""),
    "relation": ("", "Of the targets whose tokens have an F1 of a half or more with a role: is the relation one that people gave to it?"),
    "demo": ("The demo", "`emospan tag examples/sentences.txt` against examples/sentences.gold.jsonl, as `make demo` counts. Where the record has no span, attributes are not counted. The rows of means over values have percents in place of texts."),
    "speed": ("Tokens, speed and memory", """The default run beside the old default (`--calibrate none --decode compact`), in turn, on the first rows of GoEmotions' train set. Medians of the rounds; in brackets the least and the most of them.
Ratios are to the old default. Memory is the most that the process had resident, the model's file included."""),
}

COLUMNS = {
    "emotions": [("model", "who"), ("calibration, or fitted to", "calibration"), ("n", "n"), ("macro-F1", "macro"), ("micro-F1", "micro"), ("labels a text", "labels"), ("expected calibration error", "error")],
    "spans": [("set", "set"), ("spans of", "who"), ("n", "n"), ("F1", "f1"), ("precision", "precision"), ("recall", "recall")],
    "attribute": [("set", "set"), ("model", "who"), ("n", "n"), ("macro-F1", "macro"), ("a constant's", "constant_macro"), ("accuracy", "accuracy"), ("a constant's", "constant_accuracy"), ("constant", "constant")],
    "targets": [("target of", "who"), ("n", "n"), ("F1", "f1"), ("precision", "precision"), ("recall", "recall")],
    "relation": [("model", "who"), ("n", "n"), ("right", "accuracy"), ("a constant's", "constant_accuracy"), ("constant", "constant")],
    "demo": [("model", "who"), ("what", "what"), ("n", "n"), ("right", "right"), ("a constant's", "constant_right"), ("constant", "constant")],
    "speed": [("model", "who"), ("calibration", "calibration"), ("texts", "n"), ("rounds", "rounds"), ("tokens a record", "tokens"), ("records a second", "rate"), ("ratio", "ratio"), ("memory, MiB", "memory")],
}
DIGITS = {"labels": 2, "tokens": 1, "rate": 2, "ratio": 2, "memory": 0}


def cell(value, digits):
    if value is None or value == "":
        return "–"
    if isinstance(value, dict):
        return "–" if value["value"] is None else "{:.{d}f} ({:.{d}f}–{:.{d}f})".format(value["value"], value["low"], value["high"], d=digits)
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value).replace("|", "\\|")


def table(kind, rows):
    columns = COLUMNS[kind]
    lines = ["| " + " | ".join(title for title, _ in columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(cell(row.get(key), DIGITS.get(key, 3)) for _, key in columns) + " |" for row in rows]
    return "\n".join(lines)


def section(name, rows):
    title, prose = PROSE[name]
    people = next((r["people"] for r in rows if "people" in r), 0)
    head = f"## {title}\n\n{prose.format(people=people)}"
    if name == "targets":
        parts = {part: [r for r in rows if r["part"] == part] for part in ("target", "relation")}
        return f"{head}\n\n{table('targets', parts['target'])}\n\n{PROSE['relation'][1]}\n\n{table('relation', parts['relation'])}"
    return f"{head}\n\n{table(name if name in COLUMNS else 'attribute', rows)}"


def document(results, fitted, samples, limit=0):
    """The page, of the tables that there are."""
    cut = f"\n\n**This is a trial with the first {limit} texts of each set: its figures mean nothing.**" if limit else ""
    calibrations = ["| calibration | fitted to |", "|---|---|", *(f"| {name} | {texts} |" for name, texts in fitted.items())]
    parts = [HEAD.format(samples=samples, limit=cut), "\n".join(calibrations), *(section(name, results[name]) for name in PROSE if name in results)]
    return "\n\n".join(part.strip() for part in parts) + "\n"
