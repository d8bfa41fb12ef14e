#!/usr/bin/env python3
"""Reads an export with its real reader, or against its tool's published schema, and compares it with the records it was made of:
check_export.py FORMAT {type|emotion} RECORDS.jsonl OUTPUT [{type|emotion} RECORDS.jsonl OUTPUT ...]. Spans are called by their type or
their emotion. Prints each difference and exits 1 where there is one.

Readers are pyarrow, datasets, seqeval, spaCy, pandas, polars and brat's own. The tools without a reader on the package index, or with one that is a whole server,
have a JSON Schema here, written from their documentation, whose address stands above it. Offsets are Python's string indices, but for
doccano, whose editor counts UTF-16 units.
"""
import json
import sys
from unicodedata import category

BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # of str.splitlines

STRING, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
NAME = {"type": "string", "minLength": 1}


def record_of(required, optional=None, closed=True):
    shape = {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}
    return {**shape, "additionalProperties": False} if closed else shape


def array_of(items, **more):
    return {"type": "array", "items": items, **more}


TRIPLE = {"type": "array", "prefixItems": [COUNT, COUNT, NAME], "items": False, "minItems": 3}
SCORE = {"type": "number", "minimum": 0, "maximum": 1}

SCHEMAS = {
    # https://labelstud.io/guide/predictions and https://labelstud.io/guide/task_format: a task has data and predictions, a
    # prediction a model_version and results, a result id, from_name, to_name, type and value.
    "label-studio": record_of({
        "data": record_of({"text": STRING}, closed=False),
        "predictions": array_of(record_of({"model_version": STRING, "result": array_of({"oneOf": [
            record_of({
                "id": NAME, "from_name": {"const": "label"}, "to_name": {"const": "text"}, "type": {"const": "labels"}, "score": SCORE,
                "value": record_of({"start": COUNT, "end": COUNT, "text": NAME, "labels": array_of(NAME, minItems=1)}),
            }),
            record_of({
                "id": NAME, "from_name": {"const": "emotion"}, "to_name": {"const": "text"}, "type": {"const": "choices"},
                "value": record_of({"choices": array_of(NAME, minItems=1)}),
            }),
        ]})}, {"score": SCORE}), minItems=1),
    }),
    # https://doccano.github.io/doccano/tutorial/#import-a-dataset: text, label of [start, end, label]; other keys are metadata.
    "doccano": record_of({"text": NAME, "label": array_of(TRIPLE)}, closed=False),
    # https://prodi.gy/docs/api-interfaces#ner_manual: tokens with text, start, end, id and ws; spans with start, end (exclusive),
    # token_start, token_end (inclusive) and label; meta of anything.
    "prodigy": record_of({
        "text": STRING,
        "tokens": array_of(record_of({"text": NAME, "start": COUNT, "end": COUNT, "id": COUNT, "ws": {"type": "boolean"}}, {"disabled": {"type": "boolean"}})),
        "spans": array_of(record_of({"start": COUNT, "end": COUNT, "token_start": COUNT, "token_end": COUNT, "label": NAME})),
    }, {"meta": {"type": "object"}}),
    # https://docs.argilla.io/latest/how_to_guides/record/ and Record.from_dict of its SDK, which is what records.from_json calls:
    # suggestions, by question, of value, score (of a list of values, as many) and agent; metadata of strings and numbers.
    "argilla": record_of({
        "id": NAME, "fields": {"type": "object", "additionalProperties": STRING},
        "metadata": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        "suggestions": record_of({
            "emotion": record_of({"value": array_of(NAME, minItems=1), "agent": STRING}),
        }, {
            "span": record_of({
                "value": array_of(record_of({"start": COUNT, "end": COUNT, "label": NAME}), minItems=1),
                "score": array_of(SCORE, minItems=1), "agent": STRING,
            }),
        }),
        "responses": {"type": "object", "maxProperties": 0}, "vectors": {"type": "object", "maxProperties": 0},
    }),
    # https://urchade.github.io/GLiNER/training.html#dataset-format: tokenized_text, ner of [start, end, type], ends inclusive.
    "gliner": record_of({"tokenized_text": array_of(NAME), "ner": array_of(TRIPLE)}),
}


class Faults(list):
    def equal(self, where, got, want):
        if got != want:
            self.append(f"{where}: {got!r}, want {want!r}")


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def read_checked(name, path):
    """The values of a JSON array or of JSON Lines, each of which must keep to the tool's schema."""
    import jsonschema

    with open(path, encoding="utf-8") as file:
        text = file.read()
    values = [json.loads(line) for line in text.splitlines()] if name in ("doccano", "prodigy") else json.loads(text)
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    validator = jsonschema.Draft202012Validator(SCHEMAS[name])
    for i, value in enumerate(values):
        validator.validate(value)
        yield i, value


def name_of(span, names):
    return span["type"] if names == "type" else span["subtype"]


def offsets(record):
    """Where each token begins and ends in the text."""
    places, at = [], 0
    for token in record["data"]["tokens"]:
        at = record["text"].index(token, at)
        places.append((at, at + len(token)))
        at += len(token)
    return places


def spans_of(record, names):
    """What the character spans of a record are, checked against the spans' own text."""
    places = offsets(record)
    found = []
    for span in record["data"]["spans"]:
        start, end = places[span["start"]][0], places[span["end"]][1]
        assert record["text"][start:end] == span["text"], span
        found.append((start, end, name_of(span, names)))
    return found


def tags_of(record, names):
    tags = ["O"] * len(record["data"]["tokens"])
    for span in record["data"]["spans"]:
        for i in range(span["start"], span["end"] + 1):
            tags[i] = ("B-" if i == span["start"] else "I-") + name_of(span, names).replace(" ", "_")
    return tags


def check_label_studio(records, path, names, faults):
    for i, task in read_checked("label-studio", path):
        record = records[i]
        faults.equal(f"task {i}: text", (task["data"]["text"], task["data"]["src_id"]), (record["text"], record["src_id"]))
        prediction, = task["predictions"]
        faults.equal(f"task {i}: model", prediction["model_version"], record["model"])
        results = prediction["result"]
        faults.equal(f"task {i}: ids", len({r["id"] for r in results}), len(results))
        faults.equal(f"task {i}: choices", [r["value"]["choices"] for r in results if r["type"] == "choices"], [record["predictions"]])
        regions = [r for r in results if r["type"] == "labels"]
        faults.equal(f"task {i}: spans", [(r["value"]["start"], r["value"]["end"], *r["value"]["labels"]) for r in regions], spans_of(record, names))
        for region in regions:
            value = region["value"]
            faults.equal(f"task {i}: region", record["text"][value["start"]:value["end"]], value["text"])
        faults.equal(f"task {i}: scores", [r["score"] for r in regions], [s["attrs"]["confidence"] for s in record["data"]["spans"]])
        yield i


def check_doccano(records, path, names, faults):
    for i, example in read_checked("doccano", path):
        record = records[i]
        faults.equal(f"example {i}", (example["text"], example["src_id"], example["emotion"]), (record["text"], record["src_id"], record["predictions"]))
        units = record["text"].encode("utf-16-le")  # two bytes a unit
        points = [(*(len(units[:2 * n].decode("utf-16-le")) for n in label[:2]), label[2]) for label in example["label"]]
        faults.equal(f"example {i}: label", points, spans_of(record, names))
        yield i


def check_prodigy(records, path, names, faults):
    for i, task in read_checked("prodigy", path):
        record, tokens = records[i], task["tokens"]
        faults.equal(f"task {i}: text", task["text"], record["text"])
        faults.equal(f"task {i}: joined", "".join(t["text"] + " " * t["ws"] for t in tokens), record["text"])
        faults.equal(f"task {i}: ids", [t["id"] for t in tokens], list(range(len(tokens))))
        for token in tokens:
            faults.equal(f"task {i}: token", record["text"][token["start"]:token["end"]], token["text"])
        words = [(t["start"], t["end"]) for t in tokens if t["text"].strip() or t["text"] in record["data"]["tokens"]]
        faults.equal(f"task {i}: words", words, offsets(record))
        faults.equal(f"task {i}: spans", [(s["start"], s["end"], s["label"]) for s in task["spans"]], spans_of(record, names))
        for span in task["spans"]:
            first, last = tokens[span["token_start"]], tokens[span["token_end"]]
            faults.equal(f"task {i}: span", (first["start"], last["end"]), (span["start"], span["end"]))
        faults.equal(f"task {i}: meta", task["meta"], {"src_id": record["src_id"], "emotion": record["predictions"], "model": record["model"]})
        yield i


def check_argilla(records, path, names, faults):
    for i, got in read_checked("argilla", path):
        record, suggestions = records[i], got["suggestions"]
        faults.equal(f"record {i}", (got["id"], got["fields"]), (record["src_id"], {"text": record["text"]}))
        faults.equal(f"record {i}: metadata", got["metadata"], {key: record[key] for key in ("model", "provider", "prompt")})
        faults.equal(f"record {i}: emotion", suggestions["emotion"], {"value": record["predictions"], "agent": record["model"]})
        span = suggestions.get("span", {"value": [], "score": []})
        faults.equal(f"record {i}: span", [(v["start"], v["end"], v["label"]) for v in span["value"]], spans_of(record, names))
        faults.equal(f"record {i}: score", span["score"], [s["attrs"]["confidence"] for s in record["data"]["spans"]])
        yield i


def check_gliner(records, path, names, faults):
    for i, example in read_checked("gliner", path):
        data = records[i]["data"]
        faults.equal(f"example {i}: tokens", example["tokenized_text"], data["tokens"])
        faults.equal(f"example {i}: ner", example["ner"], [[s["start"], s["end"], name_of(s, names)] for s in data["spans"]])
        yield i


def check_conll(records, path, names, faults):
    """Two columns, a blank line behind each record; seqeval must find the spans in the tags."""
    from seqeval.metrics.sequence_labeling import get_entities
    from seqeval.scheme import IOB2, Entities

    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.endswith("\n\n"), text[-20:]
    blocks = [[line.split("\t") for line in block.split("\n") if not ("\t" not in line and line.startswith("# src_id = "))]
              for block in text[:-2].split("\n\n")]
    records = [record for record in records if record["data"]["tokens"]]
    faults.equal("records", len(blocks), len(records))
    for i, (block, record) in enumerate(zip(blocks, records)):
        words, tags = [row[0] for row in block], [row[1] for row in block]
        clean = ["".join("\ufffd" if c.isspace() or category(c) == "Cc" or c == "\ufeff" else c for c in token) for token in record["data"]["tokens"]]
        faults.equal(f"block {i}: tokens", words, clean)
        faults.equal(f"block {i}: split by any white space", [row.split() for row in map("\t".join, block)], [list(row) for row in zip(words, tags)])
        faults.equal(f"block {i}: tags", tags, tags_of(record, names))
        want = [(name_of(s, names).replace(" ", "_"), s["start"], s["end"]) for s in record["data"]["spans"]]
        faults.equal(f"block {i}: seqeval", get_entities(tags), want)
        strict = [(e.tag, e.start, e.end - 1) for found in Entities([tags], IOB2).entities for e in found]
        faults.equal(f"block {i}: seqeval, strict", strict, want)
        yield i


def check_conll_bioes(records, path, names, faults):
    """The scheme with the last token and the single one marked (seqeval calls it IOBES)."""
    from seqeval.scheme import IOBES, Entities

    with open(path, encoding="utf-8") as file:
        blocks = [[line.split("\t") for line in block.split("\n")] for block in file.read()[:-2].split("\n\n")]
    records = [record for record in records if record["data"]["tokens"]]
    faults.equal("records", len(blocks), len(records))
    for i, (block, record) in enumerate(zip(blocks, records)):
        tags = [tag for _, tag in block]
        want = [(name_of(s, names).replace(" ", "_"), s["start"], s["end"]) for s in record["data"]["spans"]]
        strict = [(e.tag, e.start, e.end - 1) for found in Entities([tags], IOBES).entities for e in found]
        faults.equal(f"block {i}: seqeval, strict", strict, want)
        faults.equal(f"block {i}: as BIO", [t.replace("E-", "I-", 1).replace("S-", "B-", 1) for t in tags], tags_of(record, names))
        yield i


def tables(path, separator=","):
    """The rows of a CSV file as pandas and as polars read them, all as text, without the apostrophes in front."""
    import pandas
    import polars

    first = pandas.read_csv(path, dtype=str, keep_default_na=False, sep=separator)
    second = polars.read_csv(path, infer_schema=False, empty_string_is_null=False, separator=separator)
    for columns, rows in ((list(first.columns), first.values.tolist()), (second.columns, second.rows())):
        yield [dict(zip(columns, (cell.removeprefix("'") for cell in row))) for row in rows]


def check_csv(records, path, names, faults):
    for rows in tables(path):
        faults.equal("rows", len(rows), len(records))
        for i, (row, record) in enumerate(zip(rows, records)):
            want = {key: record[key] for key in ("src_id", "text", "model", "provider", "prompt", "level")}
            want |= {"predictions": ";".join(record["predictions"]), "tokens": str(len(record["data"]["tokens"])), "spans": str(len(record["data"]["spans"]))}
            faults.equal(f"row {i}", row, want)
    yield from range(len(records))


def check_csv_spans(records, path, names, faults):
    for rows in tables(path):
        rows = iter(rows)
        for record in records:
            for i, (span, place) in enumerate(zip(record["data"]["spans"], spans_of(record, "type"))):
                row, attrs = next(rows), dict(span["attrs"])
                faults.equal(f"{record['src_id']}: confidence", float(row.pop("confidence")), attrs.pop("confidence"))
                want = {"src_id": record["src_id"], "span": i, "record_text": record["text"], "char_start": place[0], "char_end": place[1]}
                want |= {key: span[key] for key in ("type", "subtype", "text", "start", "end")} | attrs
                faults.equal(f"{record['src_id']}: span {i}", row, {key: str(value) for key, value in want.items()})
        faults.equal("rows left", list(rows), [])
    yield from range(len(records))


def check_brat(records, path, names, faults):
    """Read by brat's own server code, which checks that each annotation has the text that its offsets cut out."""
    import codecs
    import os
    import types

    import brat

    path = os.path.abspath(path)
    sys.path[:0] = [os.path.join(brat.__path__[0], "server", "src")]
    sys.modules["config"] = types.SimpleNamespace(BASE_DIR=path)  # above which brat looks for no annotation.conf
    import annotation

    # brat opens files in a mode that Python has no more; in Python 3 it never changed what was read.
    annotation.open_textfile = lambda name, mode="r": codecs.open(name, "r", encoding="utf-8")
    import projectconfig
    from message import Messager
    with open(os.path.join(path, "documents.tsv"), encoding="utf-8", newline="\n") as file:
        ids = dict(line.rstrip("\n").split("\t") for line in file)
    del ids["document"]
    faults.equal("documents", len(ids), len(records))
    configured = projectconfig.ProjectConfiguration(path)
    for i, (name, record) in enumerate(zip(ids, records)):
        faults.equal(f"{name}: id", json.loads(ids[name]) if ids[name].startswith('"') else ids[name], record["src_id"])
        document = annotation.TextAnnotations(os.path.join(path, name), read_only=True)
        text = document.get_document_text()
        faults.equal(f"{name}: text", text, record["text"])
        faults.equal(f"{name}: lines that brat could not read", document.failed_lines, [])
        bounds = {t.id: t for t in document.get_textbounds()}
        want = {f"T{n + 1}": span for n, span in enumerate(spans_of(record, names))}
        faults.equal(f"{name}: spans", list(bounds), list(want))
        for key, (start, end, kind) in want.items():
            bound, lines = bounds[key], text[start:end].splitlines(keepends=True)
            places = [(start + sum(map(len, lines[:n])), line.rstrip(BREAKS)) for n, line in enumerate(lines)]
            faults.equal(f"{name}, {key}", bound.spans, [(at, at + len(line)) for at, line in places if line])
            faults.equal(f"{name}, {key}: type", bound.type, "".join(c if c.isalnum() or c in "-_" else "_" for c in kind))
            faults.equal(f"{name}, {key}: configured", bound.type in configured.get_entity_types(), True)
        for key, span in zip(want, record["data"]["spans"]):
            got = {a.type: a.value for a in document.get_attributes() if a.target == key}
            faults.equal(f"{name}, {key}: attributes", got, {k: v.replace(" ", "_") for k, v in span["attrs"].items() if k in got})
            faults.equal(f"{name}, {key}: number of attributes", len(got), len(span["attrs"]) - 4)
            note, = (c.tail.strip() for c in document.get_oneline_comments() if c.target == key)
            faults.equal(f"{name}, {key}: note", note.startswith(f"confidence {span['attrs']['confidence']:g}"), True)
        yield i
    faults.equal("what brat says of annotation.conf", Messager._Messager__pending_messages, [])


def check_parquet(records, path, names, faults):
    import pyarrow.parquet as pq
    from datasets import load_dataset

    file = pq.ParquetFile(path)
    codecs = {file.metadata.row_group(0).column(c).compression for c in range(file.metadata.num_columns)}
    faults.equal("compression", codecs, {"ZSTD"})
    faults.equal("pyarrow", file.read().to_pylist(), records)
    faults.equal("datasets", load_dataset("parquet", data_files=path, split="train").to_list(), records)
    yield from range(len(records))


def check_hf(records, path, names, faults):
    import os
    import tempfile

    import pyarrow.parquet as pq
    from datasets import ClassLabel, DatasetInfo, Features, concatenate_datasets, get_dataset_config_names, load_dataset, load_dataset_builder
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(os.path.join(path, "README.md")).data
    faults.equal("configurations", sorted(get_dataset_config_names(path)), ["records", "tokens"])
    parts, token_parts = load_dataset(path), load_dataset(path, "tokens")
    whole, tokens = concatenate_datasets(list(parts.values())), concatenate_datasets(list(token_parts.values()))
    # Records are dealt to splits, in each of which they keep their order.
    ids = {r["src_id"]: r for r in records}
    dealt = [ids[i] for i in whole["src_id"][:]]
    faults.equal("records", sorted(r["src_id"] for r in dealt), sorted(ids))
    order = {i: n for n, i in enumerate(ids)}
    for name, part in parts.items():
        places = [order[i] for i in part["src_id"][:]]
        faults.equal(f"{name}: order", places, sorted(places))
        faults.equal(f"{name}: ids of tokens", token_parts[name]["id"][:], part["src_id"][:])
    faults.equal("records", whole.to_list(), dealt)
    with open(os.path.join(path, "features.json"), encoding="utf-8") as file:
        features = Features.from_dict(json.load(file))
    faults.equal("features.json", features, whole.features)
    # As emospan's README has it: those records that have no span in a file before the others.
    bare = [r for r in records if not r["data"]["spans"]]
    with tempfile.TemporaryDirectory() as folder:
        first = os.path.join(folder, "bare.jsonl")
        with open(first, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(r) + "\n" for r in bare)
        files = ([first] if bare else []) + [os.path.join(path, "records.jsonl")]
        lines = load_dataset("json", data_files=files, features=features, split="train")
        faults.equal("records.jsonl", lines.to_list(), bare + records)
    faults.equal("columns", whole.column_names, list(records[0]))
    faults.equal("tokens", tokens["tokens"][:], [r["data"]["tokens"] for r in dealt])
    label = tokens.features["ner_tags"].feature
    faults.equal("ner_tags", type(label), ClassLabel)
    faults.equal("ner_tags", [label.int2str(tags) if tags else [] for tags in tokens["ner_tags"]], [tags_of(r, names) for r in dealt])
    faults.equal("licence stated", "license" in card, True)
    for info, tables, name in zip(card["dataset_info"], (parts, token_parts), ("records", "tokens")):
        faults.equal(f"{name}: config_name", info["config_name"], name)
        files = {f["split"]: os.path.join(path, f["path"]) for c in card["configs"] if c["config_name"] == name for f in c["data_files"]}
        faults.equal(f"{name}: download_size", info["download_size"], sum(map(os.path.getsize, files.values())))
        faults.equal(f"{name}: dataset_size", info["dataset_size"], sum(split["num_bytes"] for split in info["splits"]))
        made = load_dataset_builder(path, name)
        made.download_and_prepare(download_mode="force_redownload", verification_mode="no_checks")
        for split in info["splits"]:
            table, part = tables[split["name"]], f"{name}, {split['name']}"
            faults.equal(f"{part}: num_examples", split["num_examples"], len(table))
            # The README's features are those that the file has by itself, and what is loaded with them.
            faults.equal(f"{part}: features", DatasetInfo._from_yaml_dict(info).features, table.features)
            bare = pq.read_schema(files[split["name"]])
            faults.equal(f"{part}: the file's types", str(table.features.arrow_schema.types), str(table.data.cast(table.features.arrow_schema).schema.types))
            faults.equal(f"{part}: the file's columns", bare.names, table.column_names)
            faults.equal(f"{part}: num_bytes", split["num_bytes"], made.info.splits[split["name"]].num_bytes)
    yield from range(len(records))


def check_spacy(records, path, names, faults):
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("xx")
    docs = list(DocBin().from_disk(path).get_docs(nlp.vocab))
    faults.equal("documents", len(docs), len(records))
    for i, (doc, record) in enumerate(zip(docs, records)):
        words = set(record["data"]["tokens"])
        faults.equal(f"document {i}: text", doc.text, record["text"])
        faults.equal(f"document {i}: tokens", [t.text for t in doc if not t.is_space or t.text in words], record["data"]["tokens"])
        faults.equal(f"document {i}: entities", [(e.start_char, e.end_char, e.label_) for e in doc.ents], spans_of(record, names))
        faults.equal(f"document {i}: entities' text", [e.text for e in doc.ents], [s["text"] for s in record["data"]["spans"]])
        faults.equal(f"document {i}: spans", [(e.start_char, e.end_char, e.label_) for e in doc.spans["sc"]], spans_of(record, names))
        faults.equal(f"document {i}: spans' text", [e.text for e in doc.spans["sc"]], [s["text"] for s in record["data"]["spans"]])
        faults.equal(f"document {i}: categories", sorted(c for c, v in doc.cats.items() if v == 1), sorted(record["predictions"]))
        faults.equal(f"document {i}: other categories", {v for c, v in doc.cats.items() if c not in record["predictions"]}, {0.0})
        faults.equal(f"document {i}: id", doc.user_data, {"src_id": record["src_id"]})
        again = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True, docs=[doc]).to_bytes()
        other, = DocBin().from_bytes(again).get_docs(spacy.blank("xx").vocab)
        faults.equal(f"document {i}: written by spaCy", other.to_json(), doc.to_json())
        yield i


def main():
    name, rest = sys.argv[1], sys.argv[2:]
    check, bad = globals()["check_" + name.replace("-", "_")], False
    for names, path, output in zip(rest[::3], rest[1::3], rest[2::3]):
        records, faults = read_lines(path), Faults()
        seen = sum(1 for _ in check(records, output, names, faults))
        if not name.startswith("conll"):
            faults.equal("records", seen, len(records))
        for fault in faults:
            print(fault)
        print(f"{name}: {seen} records compared, {len(faults)} differences")
        bad = bad or bool(faults) or not seen
    sys.exit(1 if bad or not rest else 0)


if __name__ == "__main__":
    main()
