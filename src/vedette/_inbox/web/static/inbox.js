// At most 6 KB. Builds no markup from data: the server renders it.
"use strict";
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const on = addEventListener;
const isFocused = (node) => node.contains(document.activeElement);
const load = (url) => fetch(url).then((got) => got.ok ? got.text() : Promise.reject());

// Before the first paint.
const root = document.documentElement;
let kept = {};
try { kept = localStorage; } catch {}
const paint = () => { root.dataset.scheme = kept.scheme || "system"; };
root.className = "js";
paint();

// Live: what would move a page being read is offered as a link.
const here = new URL(location), isOld = here.searchParams.has("before"), row = "tr[id^=issue-]";
here.searchParams.delete("before");
here.hash = "";
const active = new Set();
let event, title, unseen = 0, isBusy = false, isDue = true;

const offer = (number, what, url) => {
  const link = one(".status a");
  link.hidden = number < 1;
  link.textContent = number + what;
  link.href = url;
};
const newer = ({ count }) => offer(count - event.count, " newer", "/issues/" + event.issue);
const swap = (old, next) => {
  if (old && next && !old.isEqualNode(next) && !isFocused(old)) old.replaceWith(next.cloneNode(true));
};
const renewList = (page) => {
  const list = one(".issues tbody"), rows = all(row, page), main = one("main"), next = one("main", page);
  if (!list || !rows.length) return main.isEqualNode(next) || main.replaceWith(next);
  for (const next of rows) all(`#${next.id} > *`).forEach((old, i) => swap(old, next.children[i]));
  const others = rows.filter(({ id }) => !one("#" + id) && (!isOld || active.has(id)));
  const isRead = scrollY || isOld || isFocused(list);
  offer(isRead ? others.length : 0, " new", here);
  if (isRead) return;
  for (const old of all(row)) one("#" + old.id, page) || old.remove();
  for (const next of others) next.classList.add("arrived");
  list.prepend(...others);
};
const renew = async () => { // at most twice a second, and not unseen
  if (isDue = isBusy || document.hidden) return;
  isBusy = true;
  try {
    if (event) newer(JSON.parse(await load("/api/issues/" + event.issue)));
    else if (here.pathname === "/") {
      const page = new DOMParser().parseFromString(await load(here), "text/html");
      title = document.title = page.title;
      renewList(page);
      for (const part of ["header nav", ".notices", "main nav"]) swap(one(part), one(part, page));
    }
  } catch {}
  setTimeout(() => { isBusy = false; ifDue(); }, 500);
};
const ifDue = () => isDue && renew();
const hear = ([kind, data]) => {
  if (!(one("#gone").hidden = kind !== "gone")) return;
  if (kind === "issue") {
    if (event && event.issue != data.issue) return;
    active.add("issue-" + data.issue);
    if (document.hidden) document.title = `(${unseen += data.events}) ${title}`;
    if (event) return newer(data);
  }
  renew();
};
// One tab listens and tells the others: browsers make six connections.
const channel = new BroadcastChannel("inbox");
const listen = () => {
  const stream = new EventSource("/api/stream");
  const tell = (...news) => { hear(news); channel.postMessage(news); };
  for (const kind of ["issue", "item", "cleared"]) stream.addEventListener(kind, (e) => tell(kind, JSON.parse(e.data)));
  stream.onopen = () => tell("open"); // what was missed?
  stream.onerror = () => { tell("gone"); stream.readyState > 1 && setTimeout(listen, 2e3); };
  return new Promise(() => {}); // holds the lock
};

// Copy.
const type = "text/plain";
const copyByEvent = (text) => { // over HTTP from elsewhere
  on("copy", (e) => { e.preventDefault(); e.clipboardData.setData(type, text); }, { once: true });
  if (!document.execCommand("copy")) throw 0;
};
const copy = async (text) => {
  let done = "Copied.";
  try { // at once: after a wait it is no longer the person's wish
    const blob = text.then((whole) => new Blob([whole], { type }));
    await (navigator.clipboard?.write([new ClipboardItem({ [type]: blob })]) || text.then(copyByEvent));
  } catch { done = "Could not copy."; }
  one("#done").textContent = done;
  setTimeout(() => one("#done").replaceChildren(), 4e3);
};
on("click", ({ target }) => {
  const { copy: from, copyUrl: url } = target.dataset;
  if (from || url) copy(url ? load(url) : Promise.resolve(one(from).textContent.trim()));
  if (target.id === "show-help") keys["?"]();
});

// Keys.
const press = (selector) => one(selector)?.click();
const step = (by) => {
  const rows = all(row), next = rows[rows.findIndex(isFocused) + by];
  next && one("a", next).focus();
};
const keys = {
  "/": () => one("[type=search]")?.select(),
  j: () => step(1),
  k: () => step(-1),
  "[": () => press("[rel=prev]"),
  "]": () => press("[rel=next]"),
  x: () => {
    const closed = one("main details:not([open])");
    for (const fold of all("main details")) fold.open = closed;
  },
  c: () => press("[data-copy-url]"),
  "?": () => one("#help").showModal(),
};
on("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || kept.keys === "false" || !keys[e.key] ||
    e.target.closest("input:not([type=radio]), textarea, select, dialog")) return;
  e.preventDefault();
  keys[e.key]();
});

const openTarget = () => {
  for (const fold of all("details:has(:target), details:target")) fold.open = true;
  one(":target")?.scrollIntoView();
};
on("hashchange", openTarget);
on("scroll", () => scrollY || renew());
on("visibilitychange", () => {
  unseen = 0;
  document.title = title;
  ifDue();
});
on("change", ({ target }) => {
  if (target.name === "scheme") kept.scheme = target.value;
  if (target.id === "keys") kept.keys = target.checked;
  paint();
});
on("DOMContentLoaded", () => {
  event = one("[data-issue]")?.dataset;
  title = document.title;
  one(`[name=scheme][value=${root.dataset.scheme}]`).checked = true;
  one("#keys").checked = kept.keys !== "false";
  openTarget();
  channel.onmessage = (told) => hear(told.data);
  setTimeout(ifDue, 300);
  navigator.locks?.request("inbox", listen) || setInterval(renew, 2e3);
});
