#!/usr/bin/env bash
# Tags the example sentences, checks what came out and shows it. `make demo` runs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=examples/out.jsonl
echo "Tagging examples/sentences.txt: the model reads its prompt, then come the records, of which the first five are shown."
echo
bin/emospan tag examples/sentences.txt -o "$out" --decode compact --force --show=5
echo
bin/emospan validate "$out"
"${PYTHON:-python3}" -B scripts/check_demo.py examples/sentences.txt "$out"
cat <<TEXT

Your own texts, one a line:
  bin/emospan tag FILE.txt -o tagged.jsonl
A larger model tags better. With a GGUF of Llama 3 8B Instruct (where Ollama has pulled it, the line FROM of
"ollama show --modelfile llama3:instruct" names its file):
  bin/emospan models import --name llama3:instruct PATH/TO/FILE
  bin/emospan tag -m llama3:instruct FILE.txt -o tagged.jsonl
TEXT
