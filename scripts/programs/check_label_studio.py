"""check_label_studio.py RECORDS EXPORT: makes a Label Studio project of the configuration, imports the tasks and asks for their predictions."""
import os
import sys

from serving import LOOPBACK, Faults, Site, close, free_port, read_lines, spans_of, start

records, export = read_lines(sys.argv[1]), sys.argv[2]
port, token = free_port(), "0123456789abcdef0123456789abcdef01234567"
home = os.path.join(os.environ["PROGRAM_HOME"], "label-studio")
env = dict(os.environ, LABEL_STUDIO_BASE_DATA_DIR=home, LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN="true", COLLECT_ANALYTICS="False",
           LATEST_VERSION_CHECK="False", SENTRY_DSN="", FRONTEND_SENTRY_DSN="")
server = start(os.path.join(os.path.dirname(sys.executable), "label-studio"), "start", "--no-browser", "--internal-host", LOOPBACK, "--port", str(port),
               "--username", "a@example.com", "--password", "password-1", "--user-token", token, "--data-dir", home, env=env)
site = Site(port, Authorization=f"Token {token}")
site.wait("/health", server)
with open(os.path.splitext(export)[0] + ".config.xml", encoding="utf-8") as file:
    project = site.ask("POST", "/api/projects/", {"title": "emotions", "label_config": file.read()})
at = f"/api/projects/{project['id']}"
with open(export, "rb") as file:
    done = site.ask("POST", f"{at}/import", file=("file", "tasks.json", file.read()))
faults = Faults()
faults.equal("tasks, predictions", (done["task_count"], done["prediction_count"]), (len(records), len(records)))
tasks = {t["data"]["src_id"]: t for t in site.ask("GET", f"{at}/export?exportType=JSON&download_all_tasks=true")}
faults.equal("tasks", len(tasks), len(records))
spans = 0
for record in records:
    task = tasks[record["src_id"]]
    faults.equal(f"{record['src_id']}: text", task["data"]["text"], record["text"])
    predictions = site.ask("GET", f"/api/predictions/?task={task['id']}")
    faults.equal(f"{record['src_id']}: predictions", len(predictions), 1)
    results = predictions[0]["result"]
    faults.equal(f"{record['src_id']}: emotions", [r["value"]["choices"] for r in results if r["type"] == "choices"], [record["predictions"]])
    regions = [r["value"] for r in results if r["type"] == "labels"]
    faults.equal(f"{record['src_id']}: spans", [(r["start"], r["end"], *r["labels"]) for r in regions], spans_of(record, "emotion"))
    spans += len(regions)
# The labels of the configuration are all that the tasks need.
known = site.ask("GET", at)["parsed_label_config"]
faults.equal("labels", {n for r in records for _, _, n in spans_of(r, "emotion")} - set(known["label"]["labels"]), set())
close(faults, len(tasks), spans)
