// The list is as high as all its rows would be, but only those in sight are there. A browser cannot make an element of any
// height, so that of very many rows is cut, and scrolling then passes over more of them at once.

const list = document.getElementById("list");
const space = document.getElementById("height");
const rows = document.getElementById("rows");
const article = document.getElementById("record");
const statusLine = document.getElementById("status");
const MOST_HEIGHT = 10e6; // pixels; Firefox's limit is 17.9 million

let shown = []; // the records that the filters let through
let chosen = -1; // the place in shown of the chosen one
let rowHeight = 60;
let want = null;

// stretch is how far the list is scrolled through for each pixel that the element is: 1 but for very many rows.
function stretch() {
  const all = shown.length * rowHeight, room = list.clientHeight;
  return all <= MOST_HEIGHT ? 1 : (all - room) / (MOST_HEIGHT - room);
}

function draw() {
  space.style.height = Math.min(shown.length * rowHeight, MOST_HEIGHT) + "px";
  const top = list.scrollTop * stretch();
  const first = Math.floor(top / rowHeight);
  const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / rowHeight) + 1);
  const drawn = [];
  for (let at = first; at < last; at++) drawn.push(row(shown[at], at === chosen, at, shown.length));
  rows.replaceChildren(...drawn);
  rows.style.transform = `translateY(${list.scrollTop - (top - first * rowHeight)}px)`;
  if (chosen >= first && chosen < last) list.setAttribute("aria-activedescendant", "row-" + shown[chosen]);
  else list.removeAttribute("aria-activedescendant");
}

// measure takes the rows' height from one, which follows the size of the reader's type.
function measure() {
  if (rows.firstElementChild) rowHeight = rows.firstElementChild.getBoundingClientRect().height || rowHeight;
}

function choose(at) {
  chosen = Math.max(-1, Math.min(at, shown.length - 1));
  tip.hidden = true;
  article.replaceChildren(...(chosen < 0 ? [element("p", "none", "No record is chosen.")] : details(shown[chosen])));
  if (chosen >= 0) {
    const top = chosen * rowHeight, from = list.scrollTop * stretch();
    if (top < from) list.scrollTop = top / stretch();
    if (top + rowHeight > from + list.clientHeight) list.scrollTop = (top + rowHeight - list.clientHeight) / stretch();
  }
  draw();
}

function chosenID() {
  return chosen < 0 ? null : record(shown[chosen]).id;
}

// filter looks through everything anew; the chosen record stays chosen if it is still there.
function filter(index = chosen < 0 ? -1 : shown[chosen]) {
  want = wanted();
  shown = [];
  blocks.forEach((block, b) => extend(block, b * meta.block));
  list.scrollTop = 0;
  choose(Math.max(0, shown.indexOf(index)));
  say();
}

function extend(block, from) {
  for (let k = 0; k < block.id.length; k++) if (matches(block, k, want)) shown.push(from + k);
}

function say() {
  const number = (n) => n.toLocaleString("en");
  const text = `${number(shown.length)} of ${number(loaded)} records`;
  statusLine.value = loaded < meta.records ? text + ", loading…" : text;
}

const steps = {
  ArrowDown: () => chosen + 1,
  ArrowUp: () => Math.max(chosen - 1, 0),
  PageDown: () => chosen + Math.floor(list.clientHeight / rowHeight),
  PageUp: () => Math.max(chosen - Math.floor(list.clientHeight / rowHeight), 0),
  Home: () => 0,
  End: () => shown.length - 1,
};

list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Enter") {
    article.focus();
  } else if (steps[event.key]) {
    choose(steps[event.key]());
    writeAddress(chosenID());
  } else {
    return;
  }
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const clicked = event.target.closest(".row");
  if (!clicked) return;
  choose(shown.indexOf(clicked.index));
  writeAddress(chosenID());
});
list.addEventListener("scroll", () => { tip.hidden = true; draw(); });
window.addEventListener("resize", () => { tip.hidden = true; measure(); draw(); });

form.addEventListener("input", () => { filter(); writeAddress(chosenID()); });
form.addEventListener("reset", () => setTimeout(() => { filter(); writeAddress(chosenID()); }));
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", () => {
  if (location.hash !== "" && !location.hash.includes("=")) return;
  filter(indexOf(readAddress()));
  document.getElementById("records").scrollIntoView();
});

async function start() {
  form.hidden = false;
  document.querySelector(".browser").hidden = false;
  const id = readAddress();
  want = wanted();
  let said = 0; // laying the page out anew for each block would take longer than unpacking it
  await load((block, from) => {
    extend(block, from);
    if (from === 0) {
      choose(0);
      measure();
    } else if (performance.now() < said + 300) {
      return;
    }
    draw();
    say();
    said = performance.now();
  });
  if (id !== null) filter(indexOf(id));
  else if (chosen < 0) choose(0); // the first block had none that is wanted
  draw();
  say();
  document.documentElement.dataset.records = "ready";
  performance.mark("records-ready");
}

start().catch((error) => {
  statusLine.value = "The records cannot be read: " + error.message;
  console.error(error);
});
