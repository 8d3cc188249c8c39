"use strict";
// The editor's page. The server holds the mask; this draws it and sends edits.

const token = new URLSearchParams(location.search).get("token") || "";
const element = (id) => document.getElementById(id);
const canvas = element("canvas");
const pen = canvas.getContext("2d");
const MOST_STROKE_POINTS = 10000;
// `frame` is the one that is seen, `target` the one asked for last, `queued` whether a move there waits its turn.
const held = { state: null, frame: 0, target: 0, queued: false, picture: null, overlay: null, stroke: null,
  cursor: null, busy: Promise.resolve() };

const address = (path, query = {}) => `${path}?${new URLSearchParams({ ...query, token })}`;

async function send(path, body = {}) {
  const answer = await fetch(path, { method: "POST", headers: { "X-Token": token }, body: JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || `status ${answer.status}`);
  return told;
}

async function ask(path, query) {
  const answer = await fetch(address(path, query));
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || `status ${answer.status}`);
  return told;
}

function say(text) {
  element("told").textContent = text;
}

// Edits are sent one after another, in the order in which they were made.
function then(work) {
  held.busy = held.busy.then(work).catch((error) => say(error.message));
  return held.busy;
}

async function image(path, frame) {
  const answer = await fetch(address(path, { frame }));
  if (!answer.ok) throw new Error((await answer.json()).error);
  return createImageBitmap(await answer.blob());
}

function chosen(name) {
  return document.querySelector(`input[name=${name}]:checked`).value;
}

function take(state) {
  held.state = state;
  element("undo").disabled = !state.undo;
  element("redo").disabled = !state.redo;
  element("save").disabled = !state.changed;
  document.title = state.changed ? "Quadmask •" : "Quadmask";
}

async function refresh() {
  await show(held.frame, held.picture);
}

// The frame changes once all of it is there: what is edited is what is seen.
async function show(frame, seen = null) {
  const [picture, overlay, counts] = await Promise.all([
    seen ?? image("/api/picture", frame), image("/api/mask", frame), ask("/api/counts", { frame })]);
  Object.assign(held, { frame, picture, overlay });
  element("frame-told").textContent = `${frame} of ${held.state.count}`;
  element("counts").textContent = `removed ${counts.removed + counts.overlap} px, changes ${counts.affected + counts.overlap} px`;
  for (const id of ["copy", "copy-both", "copy-on"]) element(id).disabled = frame === 0;
  draw();
  canvas.dataset.frame = frame;
}

function aim(frame) {
  held.target = Math.min(Math.max(frame, 0), held.state.count - 1);
  element("frame").value = held.target;
}

// One move waits at most; where it leads is what was asked for last.
function go(frame) {
  if (!held.state) return;
  aim(frame);
  if (held.queued) return;
  held.queued = true;
  then(async () => {
    held.queued = false;
    try {
      await show(held.target);
    } catch (error) {
      if (!held.queued) aim(held.frame);
      throw error;
    }
  });
}

// As large as there is room for; edits are in pixels of the mask, whatever is shown.
function fit() {
  const room = canvas.parentElement;
  const scale = Math.min(room.clientWidth / canvas.width, room.clientHeight / canvas.height);
  canvas.style.width = `${canvas.width * scale}px`;
  canvas.style.height = `${canvas.height * scale}px`;
}

function draw() {
  const { state, picture, overlay } = held;
  if (!picture) return;
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    fit();
  }
  pen.drawImage(picture, 0, 0);
  if (overlay && element("shown").checked) {
    pen.imageSmoothingEnabled = false;
    pen.drawImage(overlay, 0, 0, canvas.width, canvas.height);
  }
  if (element("grid").checked) {
    pen.strokeStyle = "rgba(255, 255, 255, 0.35)";
    pen.lineWidth = 1;
    pen.beginPath();
    for (let row = 1; row < state.rows; row++) {
      const y = (Math.floor((row * state.height) / state.rows) / state.height) * canvas.height;
      pen.moveTo(0, y);
      pen.lineTo(canvas.width, y);
    }
    for (let col = 1; col < state.cols; col++) {
      const x = (Math.floor((col * state.width) / state.cols) / state.width) * canvas.width;
      pen.moveTo(x, 0);
      pen.lineTo(x, canvas.height);
    }
    pen.stroke();
  }
  if (held.cursor && document.activeElement === canvas) {
    const { row, col } = held.cursor;
    const [top, bottom] = [row, row + 1].map((at) => (Math.floor((at * state.height) / state.rows) / state.height) * canvas.height);
    const [left, right] = [col, col + 1].map((at) => (Math.floor((at * state.width) / state.cols) / state.width) * canvas.width);
    pen.strokeStyle = "#ffd479";
    pen.lineWidth = Math.max(2, canvas.width / 400);
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  if (held.stroke && held.stroke.frame === held.frame) {
    pen.strokeStyle = held.stroke.tool === "rubber" ? "rgba(0,0,0,0.5)" : "rgba(255,255,255,0.5)";
    pen.lineWidth = (2 * held.stroke.radius * canvas.width) / state.width;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    const [first, ...rest] = held.stroke.points.map(([x, y]) => [(x * canvas.width) / state.width, (y * canvas.height) / state.height]);
    pen.moveTo(...first);
    pen.lineTo(first[0] + 0.01, first[1]);
    for (const point of rest) pen.lineTo(...point);
    pen.stroke();
  }
}

// Pixels of the mask under the pointer.
function place(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * held.state.width, ((event.clientY - box.top) / box.height) * held.state.height];
}

function cellAt([x, y]) {
  const { rows, cols, width, height } = held.state;
  const find = (at, count, size) => {
    let cell = 0;
    while (cell + 1 < count && Math.floor(((cell + 1) * size) / count) <= Math.floor(at)) cell++;
    return cell;
  };
  return { row: find(y, rows, height), col: find(x, cols, width) };
}

// The frame is the one that is seen when the edit is made, not when its turn comes.
function edit(body) {
  const asked = { frame: held.frame, ...body };
  return then(async () => {
    say("");
    take(await send("/api/edit", asked));
    await refresh();
  });
}

function step(path) {
  return then(async () => {
    const told = await send(path);
    take(told);
    if (!told.what) return say("nothing to do");
    const frames = told.first === told.last ? `frame ${told.first}` : `frames ${told.first} to ${told.last}`;
    say(`${path === "/api/undo" ? "undone" : "redone"}: ${told.what} on ${frames}`);
    if (told.first <= held.frame && held.frame <= told.last) return refresh();
    if (!held.queued) aim(told.first);
    await show(told.first);
  });
}

function save() {
  return then(async () => {
    say("saving…");
    take(await send("/api/save"));
    say("saved");
  });
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !held.state) return;
  canvas.setPointerCapture(event.pointerId);
  const at = place(event);
  const [tool, layer, radius] = [chosen("tool"), chosen("layer"), Number(element("radius").value)];
  if (tool === "cell") edit({ op: "cell", layer, ...(held.cursor = cellAt(at)) });
  else held.stroke = { frame: held.frame, tool, layer, radius, points: [at] };
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  if (!held.stroke) return;
  for (const part of event.getCoalescedEvents?.() ?? [event]) held.stroke.points.push(place(part));
  // A stroke that grows too long is kept whole with every other point.
  while (held.stroke.points.length >= MOST_STROKE_POINTS) held.stroke.points = held.stroke.points.filter((_, i) => i % 2 === 0);
  draw();
});
canvas.addEventListener("pointerup", () => {
  if (!held.stroke) return;
  const { frame, tool, layer, radius, points } = held.stroke;
  held.stroke = null;
  edit({ op: "brush", frame, layer, stroke: points, radius, put: tool === "brush" });
});
canvas.addEventListener("pointercancel", () => {
  held.stroke = null;
  draw();
});

element("radius").addEventListener("input", () => (element("radius-told").textContent = element("radius").value));
for (const name of ["focus", "blur"]) canvas.addEventListener(name, draw);
element("frame").addEventListener("input", () => go(Number(element("frame").value)));
element("before").addEventListener("click", () => go(held.target - 1));
element("after").addEventListener("click", () => go(held.target + 1));
element("grid").addEventListener("change", draw);
element("shown").addEventListener("change", draw);
element("copy").addEventListener("click", () => edit({ op: "copy", layers: [chosen("layer")] }));
element("copy-both").addEventListener("click", () => edit({ op: "copy", layers: ["removed", "affected"] }));
element("copy-on").addEventListener("click", () =>
  edit({ op: "copy", layers: [chosen("layer")], through: held.state.count - 1 }));
element("clear").addEventListener("click", () => edit({ op: "clear", layer: chosen("layer") }));
element("undo").addEventListener("click", () => step("/api/undo"));
element("redo").addEventListener("click", () => step("/api/redo"));
element("save").addEventListener("click", save);
element("close").addEventListener("click", () =>
  then(async () => {
    take(await ask("/api/state", {})); // another tab may have edited
    if (held.state.changed && !confirm("Close without saving?")) return;
    await send("/api/close");
    held.state.changed = false;
    say("closed: this page can go");
  }));

const WAYS = { arrowleft: [0, -1], arrowright: [0, 1], arrowup: [-1, 0], arrowdown: [1, 0] };

// Shift and arrows: the cell that Enter toggles. It begins in the middle.
function point([down, across]) {
  const { rows, cols } = held.state;
  const { row, col } = held.cursor ?? { row: Math.floor(rows / 2) - down, col: Math.floor(cols / 2) - across };
  held.cursor = { row: Math.min(Math.max(row + down, 0), rows - 1), col: Math.min(Math.max(col + across, 0), cols - 1) };
  say(`cell ${held.cursor.row}, ${held.cursor.col}`);
  draw();
}

const KEYS = { c: ["tool", "cell"], b: ["tool", "brush"], e: ["tool", "rubber"], 1: ["layer", "removed"], 2: ["layer", "affected"] };
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (command && key === "z") step(event.shiftKey ? "/api/redo" : "/api/undo");
  else if (command && key === "y") step("/api/redo");
  else if (command && key === "s") save();
  else if (command || event.altKey) return;
  else if (event.target.type === "range" && WAYS[key]) return;
  else if (event.target === canvas && event.shiftKey && WAYS[key]) point(WAYS[key]);
  else if (event.target === canvas && key === "enter" && held.cursor) edit({ op: "cell", layer: chosen("layer"), ...held.cursor });
  else if (key === "arrowleft") go(held.target - 1);
  else if (key === "arrowright") go(held.target + 1);
  else if (KEYS[key]) document.querySelector(`input[name=${KEYS[key][0]}][value=${KEYS[key][1]}]`).checked = true;
  else return;
  event.preventDefault();
});
window.addEventListener("resize", fit);
window.addEventListener("beforeunload", (event) => {
  if (held.state?.changed) event.preventDefault();
});

then(async () => {
  take(await ask("/api/state", {}));
  element("frame").max = held.state.count - 1;
  await show(0);
});
