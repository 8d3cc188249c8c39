"use strict";

const element = (id) => document.getElementById(id);
const shown = new Map(); // the list's entry of each job

let token = sessionStorage.getItem("token") || "";
if (location.hash.startsWith("#token=")) {
  token = decodeURIComponent(location.hash.slice(7));
  history.replaceState(null, "", location.pathname); // out of the address bar
}

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(path, { ...options, headers });
  const held = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(held.error), { status: answer.status });
  return held;
}

function tell(text, wrong = false) {
  element("told").textContent = text;
  element("told").classList.toggle("wrong", wrong);
}

async function start() {
  let state;
  try {
    state = await ask("/api/state");
  } catch (error) {
    element("door").hidden = false;
    element("token").focus();
    if (token && error.status !== 401) element("door-title").textContent = error.message;
    return;
  }
  sessionStorage.setItem("token", token);
  element("door").hidden = true;
  element("ask").hidden = element("list").hidden = false;
  element("sample").hidden = !state.samples;
  watch();
}

async function submit(form) {
  const buttons = [element("send"), element("sample")];
  for (const button of buttons) button.disabled = true;
  tell("Sending …");
  try {
    take(await ask("/api/jobs", { method: "POST", body: form }));
    tell("Taken.");
  } catch (error) {
    tell(error.message, true);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function add(job) {
  const entry = element("job").content.firstElementChild.cloneNode(true);
  entry.id = `job-${job.id}`;
  entry.querySelector("h3").textContent = job.name;
  entry.querySelector(".cancel").addEventListener("click", () => act(job.id, `/api/jobs/${job.id}/cancel`, "POST"));
  entry.querySelector(".remove").addEventListener("click", () => act(job.id, `/api/jobs/${job.id}`, "DELETE"));
  shown.set(job.id, entry);
  element("jobs").prepend(entry);
  element("none").hidden = true;
  show(job);
}

async function act(id, path, method) {
  try {
    const job = await ask(path, { method });
    if (method === "DELETE") forget(id);
    else show(job);
  } catch (error) {
    tell(error.message, true);
  }
}

function forget(id) {
  shown.get(id)?.remove();
  shown.delete(id);
  element("none").hidden = shown.size > 0;
}

const ended = (job) => ["done", "failed", "cancelled"].includes(job.state);

async function watch() {
  // One stream for all jobs: a browser has few connections to a server. And a fetch, since an EventSource
  // can't send the token.
  for (;;) {
    try {
      const answer = await fetch("/api/events", { headers: { Authorization: `Bearer ${token}` } });
      if (answer.status === 401) return location.reload(); // another service, with another token
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let held = "", part; !(part = await reader.read()).done; ) {
        const events = (held + part.value).split("\n\n");
        held = events.pop();
        for (const event of events) {
          if (event.startsWith("data: ")) take(JSON.parse(event.slice(6)));
        }
      }
      throw new Error("the stream ended");
    } catch {
      tell("The service does not answer; trying again.", true);
    }
    await new Promise((go) => setTimeout(go, 1000));
  }
}

function take(job) {
  if (job.state === "removed") forget(job.id);
  else if (shown.has(job.id)) show(job);
  else add(job);
}

function stateOf(job) {
  if (job.cancelling) return "Stopping …";
  if (job.state === "queued") return job.before ? `Waits; ${job.before} before it.` : "Waits; it is next.";
  if (job.state === "running") {
    const share = `${Math.floor(100 * job.whole)} %`;
    return job.stage ? `${share}, ${job.stage}: ${job.message}` : "Begins …";
  }
  if (job.state === "done") return `Done in ${job.seconds} s.`;
  return job.state === "failed" ? "Failed." : "Cancelled.";
}

function show(job) {
  const entry = shown.get(job.id);
  if (!entry) return;
  const find = (what) => entry.querySelector(what);
  // Read out when it changes, and not at every step.
  if (entry.dataset.state !== job.state) element("news").textContent = `${job.name}: ${job.state}`;
  entry.dataset.state = job.state;
  find(".state").textContent = stateOf(job);
  find("progress").value = job.whole;
  find("progress").hidden = ended(job);
  find(".error").textContent = job.error || "";
  find(".error").hidden = !job.error;
  find(".cancel").hidden = ended(job);
  find(".cancel").disabled = job.cancelling;
  find(".remove").hidden = !ended(job);
  if (job.state !== "done" || !find(".links").hidden) return;
  for (const kind of ["film", "page", "report", "motion"]) find(`a.${kind}`).href = job[kind];
  find(".links").hidden = find("video").hidden = false;
  find("video").src = job.film;
  find("video").setAttribute("aria-label", `The film of ${job.name}`);
  find(".warnings").replaceChildren(...job.warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  find(".warnings").hidden = !job.warnings.length;
}

element("open").addEventListener("submit", (event) => {
  event.preventDefault();
  token = element("token").value.trim();
  start();
});
element("submit").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData();
  form.append("name", element("name").value);
  const shot = element("shot").files[0];
  if (shot) form.append("file", shot, "shot.toml");
  for (const file of element("files").files) form.append("file", file, file.name);
  for (const file of element("folder").files) {
    const name = file.webkitRelativePath.split("/").slice(1).join("/"); // below the folder
    if (!name.split("/").some((part) => part.startsWith("."))) form.append("file", file, name);
  }
  if (!form.has("file")) return tell("Choose a shot file or a folder first.", true);
  submit(form);
});
element("sample").addEventListener("click", () => {
  const form = new FormData();
  form.append("name", "sample");
  form.append("sample", "yes");
  submit(form);
});
start();
