"use strict";
// Fetches the page again every few seconds and puts its main part in place of the old one. What the
// reader has opened, and how far it is scrolled, stays. Nothing is fetched while nobody looks.
const every = 10000;

async function refresh() {
  const live = document.getElementById("live");
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch(location.href, {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.statusText);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = next.getElementById("live");
    for (const old of live.querySelectorAll("details[id][open]")) {
      const same = main.querySelector("#" + old.id);
      if (same) same.open = true;
    }
    const left = {};
    for (const old of live.querySelectorAll(".scroll[id]")) left[old.id] = old.scrollLeft;
    live.replaceChildren(...main.childNodes);
    for (const id in left) {
      const same = document.getElementById(id);
      if (same) same.scrollLeft = left[id];
    }
    document.title = next.title;
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

setInterval(() => { if (!document.hidden) refresh(); }, every);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
