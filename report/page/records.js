"use strict";

// The records lie in blocks of gzip in base64. A block is lists side by side, one for each field; see columns.go.

const meta = JSON.parse(document.getElementById("meta").textContent);
const nameIndex = new Map(meta.names.map((name, i) => [name, i]));
const blocks = [];
let loaded = 0; // records in blocks

// load unpacks the blocks one after the other and calls each as soon as a block is there. The page stays usable meanwhile.
async function load(each) {
  for (const script of document.querySelectorAll("script.block")) {
    const block = await unpack(script.textContent);
    script.remove(); // frees the text
    for (const list of [block.predictions, block.spans, block.reference, block.referenceSpans]) {
      if (list) list.first = firsts(list.count);
    }
    blocks.push(block);
    loaded += block.id.length;
    each(block, loaded - block.id.length);
  }
}

async function unpack(base64) {
  const packed = Uint8Array.fromBase64 ? Uint8Array.fromBase64(base64) : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// firsts says where in its list each record's part begins, and behind the last where the list ends.
function firsts(counts) {
  const first = new Uint32Array(counts.length + 1);
  counts.forEach((n, i) => { first[i + 1] = first[i] + Math.max(n, 0); });
  return first;
}

// indexOf finds a record by its id; -1 where there is none.
function indexOf(id) {
  for (const [b, block] of blocks.entries()) {
    const k = block.id.indexOf(id);
    if (k >= 0) return b * meta.block + k;
  }
  return -1;
}

// record gathers what the page shows of record i.
function record(i) {
  const block = blocks[Math.floor(i / meta.block)];
  const k = i % meta.block;
  const side = (labels, spans) => ({ names: Array.from(part(labels.name, labels, k)), spans: spansOf(spans, k) });
  return {
    id: block.id[k],
    text: block.text[k],
    own: side(block.predictions, block.spans),
    reference: block.reference && block.reference.count[k] >= 0 ? side(block.reference, block.referenceSpans) : null,
  };
}

function part(list, counted, k) {
  return list.slice(counted.first[k], counted.first[k + 1]);
}

function spansOf(spans, k) {
  const list = [];
  for (let s = spans.first[k]; s < spans.first[k + 1]; s++) {
    list.push({
      name: spans.name[s], type: spans.type ? spans.type[s] : -1, start: spans.start[s], end: spans.end[s], attrs: spans.attrs.map((values) => values[s]),
      sentence: spans.sentence[s], clause: spans.clause[s], confidence: spans.confidence[s], target: spans.target[s],
    });
  }
  return list;
}
