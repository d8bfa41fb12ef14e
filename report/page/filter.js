// The filters are the form's controls, and their state is the address behind #, so that a page can be linked and reloaded as
// it was. An address without "=" is a place on the page and says nothing of the filters.

const form = document.getElementById("filters");

// wanted reads the form: what matches compares records with.
function wanted() {
  const value = (name) => (form.elements[name] ? form.elements[name].value : "");
  const number = (name, otherwise) => (value(name) === "" ? otherwise : Number(value(name)));
  const attrs = [];
  meta.attributes.forEach((attr, i) => {
    if (value(attr.control)) attrs.push([i, attr.values.indexOf(value(attr.control))]);
  });
  const type = value("type") ? meta.types.indexOf(value("type")) : -1;
  const min = number("min", 0), max = number("max", 1);
  return {
    query: value("q").toLowerCase(),
    emotion: value("emotion") ? nameIndex.get(value("emotion")) : -1,
    attrs, type, min, max,
    bySpan: attrs.length > 0 || type >= 0 || min > 0 || max < 1,
    spans: value("spans"),
    reference: value("reference"),
  };
}

// matches reports whether record k of a block is wanted. What is asked of spans must be true of one and the same span.
function matches(block, k, want) {
  if (want.emotion >= 0 && !has(block.predictions, k, want.emotion)) return false;
  const spans = block.spans.count[k];
  if (want.spans === "some" && spans < 1 || want.spans === "several" && spans < 2 || want.spans === "none" && spans > 0) return false;
  if (want.bySpan && !someSpan(block.spans, k, want)) return false;
  if (want.reference && want.reference !== compared(block, k)) return false;
  return want.query === "" || lower(block)[k].includes(want.query);
}

function has(labels, k, name) {
  for (let p = labels.first[k]; p < labels.first[k + 1]; p++) if (labels.name[p] === name) return true;
  return false;
}

function someSpan(spans, k, want) {
  for (let s = spans.first[k]; s < spans.first[k + 1]; s++) {
    const confidence = spans.confidence[s];
    if (want.type >= 0 && spans.type[s] !== want.type) continue;
    if (confidence >= want.min && confidence <= want.max && want.attrs.every(([i, value]) => spans.attrs[i][s] === value)) return true;
  }
  return false;
}

// compared says how the emotions of record k and of its reference go together.
function compared(block, k) {
  const reference = block.reference;
  if (!reference || reference.count[k] < 0) return "missing";
  let own = part(block.predictions.name, block.predictions, k);
  if (meta.compared) own = [...new Set(own.map((name) => meta.compared[name]))];
  const common = own.filter((name) => has(reference, k, name)).length;
  if (common === own.length && common === reference.count[k]) return "same";
  return common > 0 ? "some" : "none";
}

// lower is what the search looks into, made when it is first asked for.
function lower(block) {
  if (!block.lower) block.lower = block.text.map((text, k) => (block.id[k] + "\n" + text).toLowerCase());
  return block.lower;
}

// readAddress puts the state behind # into the form and returns the id of the chosen record; null where there is none.
function readAddress() {
  const address = location.hash.slice(1);
  if (address !== "" && !address.includes("=")) return null;
  const state = new URLSearchParams(address);
  for (const control of form.elements) {
    if (control.name) control.value = state.get(control.name) || "";
  }
  return state.get("record");
}

// writeAddress waits until nothing has changed for a moment: browsers refuse to take an address often.
let writing = 0;
function writeAddress(id) {
  clearTimeout(writing);
  writing = setTimeout(() => {
    const state = new URLSearchParams();
    for (const control of form.elements) if (control.name && control.value) state.set(control.name, control.value);
    if (id !== null) state.set("record", id);
    const address = state.toString();
    history.replaceState(null, "", address ? "#" + address : location.pathname + location.search);
  }, 250);
}
