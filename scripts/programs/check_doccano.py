"""check_doccano.py RECORDS EXPORT: imports labels and records into doccano by its API and asks for its examples and spans."""
import os
import sys
import time

from serving import LOOPBACK, Faults, Site, close, free_port, read_lines, spans_of, start

records, export = read_lines(sys.argv[1]), sys.argv[2]
home = os.path.join(os.environ["PROGRAM_HOME"], "doccano")
os.makedirs(home)
import backend  # noqa: E402

folder = os.path.dirname(backend.__file__)
python = os.path.dirname(sys.executable)
env = dict(os.environ, DOCCANO_HOME=home, STANDALONE="True", DJANGO_SETTINGS_MODULE="config.settings.production",
           DATABASE_URL=f"sqlite:///{home}/db.sqlite3", MEDIA_ROOT=f"{home}/media", PYTHONPATH=folder, TOKENIZERS_PARALLELISM="false")
for command in (["init"], ["createuser", "--username", "admin", "--password", "pass"]):
    if start(os.path.join(python, "doccano"), *command, env=env).wait() != 0:
        sys.exit(f"doccano {command[0]} failed")
port = free_port()
# doccano's own command listens on every address; this is what it runs.
server = start(sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}", "--workers", "1", "--timeout", "300", "--chdir", folder, "config.wsgi", env=env)
start(os.path.join(python, "doccano"), "task", "--concurrency", "1", env=env)
site = Site(port)
site.wait("/v1/health/", server)
site.ask("POST", "/v1/auth/login/", {"username": "admin", "password": "pass"})
project = site.ask("POST", "/v1/projects", {
    "name": "p", "description": "d", "project_type": "SequenceLabeling", "resourcetype": "SequenceLabelingProject", "tags": [],
    "guideline": "", "random_order": False, "collaborative_annotation": False, "single_class_classification": False,
})
assert project["grapheme_mode"] is False, project
at = f"/v1/projects/{project['id']}"
with open(os.path.splitext(export)[0] + ".labels.json", "rb") as file:
    site.ask("POST", at + "/span-type-upload", file=("file", "labels.json", file.read()))
names = {t["id"]: t["text"] for t in site.ask("GET", at + "/span-types")}
labels = len(names)
with open(export, "rb") as file:
    upload = site.ask("POST", "/v1/fp/process/", file=("filepond", "records.jsonl", file.read()))
task = site.ask("POST", at + "/upload", {
    "format": "JSONL", "uploadIds": [upload], "task": "SequenceLabeling", "encoding": "utf_8", "column_data": "text", "column_label": "label",
})["task_id"]
while not (status := site.ask("GET", f"/v1/tasks/status/{task}"))["ready"]:
    time.sleep(0.5)
faults = Faults()
faults.equal("what the import says", status.get("error") or [], [])
names = {t["id"]: t["text"] for t in site.ask("GET", at + "/span-types")}
faults.equal("labels that the file did not bring", len(names) - labels, 0)
examples = {e["meta"]["src_id"]: e for e in site.ask("GET", at + "/examples?limit=10000")["results"]}
faults.equal("examples", len(examples), len(records))
spans = 0
for record in records:
    example = examples[record["src_id"]]
    faults.equal(f"{record['src_id']}: text", example["text"], record["text"])
    units = record["text"].encode("utf-16-le")  # a JavaScript string has two bytes of these a unit
    got = sorted((s["start_offset"], s["end_offset"], names[s["label"]]) for s in site.ask("GET", f"{at}/examples/{example['id']}/spans"))
    cut = [(units[2 * a:2 * b].decode("utf-16-le", "replace"), name) for a, b, name in got]
    faults.equal(f"{record['src_id']}: spans", cut, [(record["text"][a:b], name) for a, b, name in spans_of(record, "emotion")])
    spans += len(got)
close(faults, len(examples), spans)
