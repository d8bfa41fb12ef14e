"""check_argilla.py RECORDS EXPORT: a dataset of the settings in Argilla's own server, the records by its SDK, and what it then gives back.

The server wants a search engine and Redis. The records lie in its database, so a search engine that finds nothing does; Redis is
played by fakeredis.
"""
import json
import os
import secrets
import sys
import threading

from serving import LOOPBACK, Faults, Site, close, free_port, read_lines, spans_of, start


def serve():
    """The server, in a process of its own."""
    from argilla_server.search_engine.base import SearchEngine, SearchResponses

    async def nothing(*args, **more):
        return {}

    async def found(*args, **more):
        return SearchResponses(items=[], total=0)

    async def new(cls):
        return cls()

    members = {name: nothing for name in SearchEngine.__abstractmethods__}
    members |= {"new_instance": classmethod(new), "search": found, "similarity_search": found}

    async def ping(self):
        return True

    SearchEngine.register("none")(type("NoSearch", (SearchEngine,), members | {"ping": ping}))
    import uvicorn

    uvicorn.run("argilla_server:app", host=LOOPBACK, port=int(sys.argv[2]), log_level="warning")


def main():
    from fakeredis import TcpFakeServer

    records, export = read_lines(sys.argv[1]), sys.argv[2]
    redis_port, port, key = free_port(), free_port(), secrets.token_hex(8)
    redis = TcpFakeServer((LOOPBACK, redis_port))
    redis.daemon_threads = True
    threading.Thread(target=redis.serve_forever, daemon=True).start()
    home = os.path.join(os.environ["PROGRAM_HOME"], "argilla")
    os.makedirs(home)
    env = dict(os.environ, ARGILLA_HOME_PATH=home, ARGILLA_DATABASE_URL=f"sqlite+aiosqlite:///{home}/argilla.db", ARGILLA_SEARCH_ENGINE="none",
               ARGILLA_REDIS_URL=f"redis://{LOOPBACK}:{redis_port}/0", ARGILLA_ENABLE_TELEMETRY="0", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_OFFLINE="1")
    for command in (["database", "migrate"], ["database", "users", "create", "--first-name", "A", "--username", "owner", "--role", "owner",
                                              "--password", "password-1", "--api-key", key, "--workspace", "w"]):
        if start(sys.executable, "-m", "argilla_server", *command, env=env).wait() != 0:
            sys.exit(f"argilla_server {' '.join(command[:3])} failed")
    server = start(sys.executable, "-B", os.path.abspath(__file__), "--serve", str(port), env=env)
    Site(port).wait("/api/v1/version", server)
    import argilla

    client = argilla.Argilla(api_url=f"http://{LOOPBACK}:{port}", api_key=key)
    settings = argilla.Settings.from_json(os.path.splitext(export)[0] + ".settings.json")
    dataset = argilla.Dataset(name="emotions", workspace="w", settings=settings, client=client).create()
    with open(export, encoding="utf-8") as file:
        dataset.records.log([argilla.Record.from_dict(r, dataset=dataset) for r in json.load(file)])
    got = {r.id: r for r in dataset.records(with_suggestions=True)}
    faults, spans = Faults(), 0
    faults.equal("records", len(got), len(records))
    for record in records:
        stored = got[record["src_id"]]
        faults.equal(f"{record['src_id']}: text", stored.fields["text"], record["text"])
        suggestions = {s.question_name: s for s in stored.suggestions}
        faults.equal(f"{record['src_id']}: emotion", suggestions["emotion"].value, record["predictions"])
        values = suggestions["span"].value if "span" in suggestions else []
        faults.equal(f"{record['src_id']}: spans", [(v["start"], v["end"], v["label"]) for v in values], spans_of(record, "emotion"))
        faults.equal(f"{record['src_id']}: model", stored.metadata["model"], record["model"])
        spans += len(values)
    close(faults, len(got), spans)


if __name__ == "__main__":
    serve() if sys.argv[1] == "--serve" else main()
