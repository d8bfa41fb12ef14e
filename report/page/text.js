// Everything of a record is put on the page as text, never as markup.

function element(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

// visible shows control characters by their pictures, one for one, so that offsets stay what they were.
function visible(text) {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => (c === "\x7f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0))));
}

// isolated keeps the direction of foreign text from reaching what stands beside it.
function isolated(text, className) {
  return element("bdi", className, visible(text));
}

function labels(names) {
  return names.map((name) => element("span", "label " + meta.classes[name], isolated(meta.names[name])));
}

// marked is a text with its spans; with most, no more of it than so many characters. A span that begins inside another is not
// marked: it comes back in the list of those left over.
function marked(text, spans, most = Infinity) {
  const nodes = [], left = [];
  let at = 0;
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.start < at || span.start >= most) {
      left.push(span);
      continue;
    }
    nodes.push(visible(text.slice(at, span.start)));
    nodes.push(mark(span, text.slice(span.start, Math.min(span.end, most))));
    at = span.end;
  }
  if (at < most) nodes.push(visible(text.slice(at, most)));
  if (text.length > most) nodes.push("…");
  return { nodes, left };
}

// mark is coloured by the emotion's group and, where there are several span types, outlined by its type, each in its own way.
function mark(span, text) {
  const e = element("span", "mark " + meta.classes[span.name], visible(text));
  e.dataset.emotion = meta.names[span.name];
  if (span.type >= 0) {
    e.classList.add("type-" + span.type % 4);
    e.dataset.emotion = meta.types[span.type] + " " + e.dataset.emotion;
  }
  e.span = span;
  return e;
}

// row is a record in the list.
function row(i, chosen, position, size) {
  const r = record(i);
  const head = element("div", "head", isolated(r.id), ...labels(r.own.names));
  if (r.reference) head.append(element("span", "label", "reference:"), ...labels(r.reference.names));
  const text = element("div", "", ...marked(r.text, r.own.spans, 300).nodes);
  text.dir = "auto";
  const e = element("div", "row", head, text);
  e.id = "row-" + i;
  e.setAttribute("role", "option");
  e.setAttribute("aria-selected", chosen);
  e.setAttribute("aria-posinset", position + 1);
  e.setAttribute("aria-setsize", size);
  e.index = i;
  return e;
}

// details is the chosen record, whole: beside what the reference says of it, where there is one.
function details(i) {
  const r = record(i);
  const sides = element("div", "sides", side("This file", r.text, r.own));
  if (r.reference) sides.append(side("Reference", r.text, r.reference));
  else if (meta.reference) sides.append(element("div", "", element("h4", "", "Reference"), element("p", "none", "The reference does not have this record.")));
  return [element("h3", "", isolated(r.id)), sides];
}

function side(title, text, { names, spans }) {
  const { nodes, left } = marked(text, spans);
  const body = element("p", "text", ...nodes);
  body.dir = "auto";
  const e = element("div", "", element("h4", "", title), element("p", "", ...(names.length ? labels(names) : ["no emotion"])), body);
  if (left.length) {
    const more = left.map((span) => mark(span, span.start < 0 ? "(not in the text)" : text.slice(span.start, span.end)));
    e.append(element("p", "", "Also: ", ...more.flatMap((m) => [m, " "])));
  }
  for (const m of e.querySelectorAll(".mark")) m.tabIndex = 0;
  return e;
}

// The tooltip has a span's attributes. It comes with the pointer or the focus, stays while the pointer is on it, and goes with
// Escape, until something else is pointed at or focused.

const tip = document.getElementById("tip");
let dismissed = null;

function showTip(target) {
  const span = target.span;
  const list = element("dl", "");
  const add = (name, value) => list.append(element("dt", "", name), element("dd", "", isolated(String(value))));
  add("emotion", meta.names[span.name]);
  if (span.type >= 0) add("type", meta.types[span.type]);
  if (span.attrs.some((value) => value >= 0)) add("confidence", span.confidence);
  meta.attributes.forEach((attr, i) => { if (span.attrs[i] >= 0) add(attr.name, attr.values[span.attrs[i]]); });
  if (span.target) add("target_text", span.target);
  add("sentence_index", span.sentence);
  add("clause_index", span.clause);
  tip.replaceChildren(list);
  tip.hidden = false;
  const box = target.getBoundingClientRect();
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = Math.max(8, Math.min(box.left, room)) + scrollX + "px";
  const below = box.bottom + tip.offsetHeight < innerHeight || box.top < tip.offsetHeight;
  tip.style.top = (below ? box.bottom : box.top - tip.offsetHeight) + scrollY + "px";
  for (const m of document.querySelectorAll("[aria-describedby='tip']")) m.removeAttribute("aria-describedby");
  target.setAttribute("aria-describedby", "tip");
}

function spanAt(target) {
  const m = target instanceof Element ? target.closest(".mark") : null;
  return m && m.span ? m : null;
}

function tipFor(target) {
  if (target !== dismissed) dismissed = null;
  if (target && !dismissed) showTip(target);
  else tip.hidden = true;
}

document.addEventListener("mouseover", (event) => {
  if (!tip.contains(event.target)) tipFor(spanAt(event.target) || spanAt(document.activeElement));
});
document.addEventListener("focusin", (event) => tipFor(spanAt(event.target)));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || tip.hidden) return;
  dismissed = document.querySelector("[aria-describedby='tip']");
  tip.hidden = true;
});
