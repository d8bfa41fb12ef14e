"""check_gliner.py RECORDS EXPORT: has GLiNER's own processor make training examples of the export, and asks it for their labelled spans."""
import json
import sys
import types
import warnings

from gliner.data_processing import UniEncoderSpanProcessor

from serving import Faults, close, name_of, read_lines

records = read_lines(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    examples = json.load(file)
warnings.simplefilter("error")  # it cuts a long example with a warning
# The tokenizer of a model is not needed for the words and their spans.
processor = UniEncoderSpanProcessor.__new__(UniEncoderSpanProcessor)
processor.config = types.SimpleNamespace(max_width=12, max_len=384)
faults, spans = Faults(), 0
faults.equal("examples", len(examples), len(records))
for example, record in zip(examples, records):
    ids = {name: n + 1 for n, name in enumerate(sorted({label for *_, label in example["ner"]}))}
    names = {n: name for name, n in ids.items()}
    made = processor.preprocess_example(example["tokenized_text"], example["ner"], ids)
    faults.equal(f"{record['src_id']}: tokens", made["tokens"], record["data"]["tokens"])
    got = [(*map(int, place), names[int(label)]) for place, label in zip(made["span_idx"], made["span_label"]) if int(label) > 0]
    faults.equal(f"{record['src_id']}: spans", got, [(s["start"], s["end"], name_of(s, "emotion")) for s in record["data"]["spans"]])
    spans += len(got)
close(faults, len(examples), spans)
