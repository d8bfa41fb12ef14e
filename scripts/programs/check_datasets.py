"""check_datasets.py RECORDS FOLDER SPLIT-FOLDER: loads both as emospan's documents say, and the lines of records without spans first."""
import json
import os
import sys
import tempfile

from serving import Faults, close, read_lines

from datasets import ClassLabel, Features, load_dataset  # noqa: E402

records, folder, split = read_lines(sys.argv[1]), *sys.argv[2:]
faults = Faults()
whole, tokens = load_dataset(folder, split="train"), load_dataset(folder, "tokens", split="train")
faults.equal("records", whole.to_list(), records)
label = tokens.features["ner_tags"].feature
faults.equal("ner_tags", (type(label), label.names), (ClassLabel, ["O", "B-EMO", "I-EMO"]))
faults.equal("tags", [[label.names[n] for n in row["ner_tags"]] for row in tokens], [r["data"]["labels"] for r in records])
parts = load_dataset(split)
faults.equal("splits", sorted(parts), ["dev", "test", "train"])
faults.equal("records of the splits", sorted(r["src_id"] for part in parts.values() for r in part), sorted(r["src_id"] for r in records))
with open(os.path.join(folder, "features.json"), encoding="utf-8") as file:
    features = Features.from_dict(json.load(file))
faults.equal("features.json", features, whole.features)
with tempfile.TemporaryDirectory() as scratch:
    bare = [r for r in records if not r["data"]["spans"]]
    files = [os.path.join(scratch, "bare.jsonl"), os.path.join(folder, "records.jsonl")]
    with open(files[0], "w", encoding="utf-8") as file:
        file.writelines(json.dumps(r) + "\n" for r in bare)
    lines = load_dataset("json", data_files=files, features=features, split="train")
    faults.equal("lines with features=", lines.to_list(), bare + records)
    try:
        load_dataset("json", data_files=files, split="train")
        print("note: it loads without features= too, so the documents ask for more than is needed", file=sys.stderr)
    except Exception as error:  # what the documents say of it
        print(f"without features=: {type(error).__name__}", file=sys.stderr)
close(faults, len(whole), sum(len(r["data"]["spans"]) for r in whole))
