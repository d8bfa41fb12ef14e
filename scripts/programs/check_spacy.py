"""check_spacy.py RECORDS CORPUS: reads the parts of a split, and has spaCy train ner, spancat and textcat on them by its own commands."""
import os
import subprocess
import sys

import spacy
from spacy.tokens import DocBin

from serving import Faults, close, read_lines, spans_of

records, corpus = {r["src_id"]: r for r in read_lines(sys.argv[1])}, sys.argv[2]
faults, seen, spans = Faults(), 0, 0
for part in ("train", "dev", "test"):
    for doc in DocBin().from_disk(os.path.join(corpus, part + ".spacy")).get_docs(spacy.blank("en").vocab):
        record = records[doc.user_data["src_id"]]
        want = spans_of(record, "emotion")
        faults.equal("language", doc.user_data["language"], "en")
        faults.equal("text", doc.text, record["text"])
        for name, got in (("entities", doc.ents), ("spans", doc.spans["sc"])):
            faults.equal(f"{record['src_id']}: {name}", [(e.start_char, e.end_char, e.label_) for e in got], want)
        seen, spans = seen + 1, spans + len(doc.spans["sc"])
faults.equal("documents", seen, len(records))
home = os.environ["PROGRAM_HOME"]
config = os.path.join(home, "config.cfg")
for command in (
    ["init", "config", config, "--lang", "en", "--pipeline", "ner,spancat,textcat_multilabel"],
    ["train", config, "--output", os.path.join(home, "model"), "--paths.train", os.path.join(corpus, "train.spacy"), "--paths.dev", os.path.join(corpus, "dev.spacy"),
     "--training.max_steps", "4", "--training.eval_frequency", "2"],
):
    faults.equal(f"spacy {command[0]}", subprocess.run([sys.executable, "-m", "spacy", *command], stdout=sys.stderr, check=False).returncode, 0)
trained = spacy.load(os.path.join(home, "model", "model-last"))
names = {name for r in records.values() for _, _, name in spans_of(r, "emotion")}
faults.equal("labels that spancat learned are of the records", set(trained.get_pipe("spancat").labels) <= names and bool(trained.get_pipe("spancat").labels), True)
faults.equal("categories", len(trained.get_pipe("textcat_multilabel").labels), 28)
close(faults, seen, spans)
