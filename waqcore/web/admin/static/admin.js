// Keeps "in 35 s" right between updates, and says so when updates stop coming.
(() => {
  "use strict";
  const SILENT_MS = 30000; // The stream says something every 15 s at least.
  let heardAt = Date.now();

  const span = (seconds) => {
    const s = Math.abs(seconds);
    if (s < 90) return `${Math.round(s)} s`;
    if (s < 90 * 60) return `${Math.round(s / 60)} min`;
    if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} d`;
  };
  // The server's clock rules: an operator's laptop may be minutes off.
  const skewMs = Date.now() - Date.parse(document.documentElement.dataset.now || new Date().toISOString());
  const relative = (at) => {
    const seconds = (Date.parse(at) - (Date.now() - skewMs)) / 1000;
    if (Math.abs(seconds) < 1) return "now";
    return seconds > 0 ? `in ${span(seconds)}` : `${span(seconds)} ago`;
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time[data-rel]")) {
      const said = relative(time.dateTime);
      if (time.textContent !== said) time.textContent = said;
    }
    const lost = document.getElementById("lost");
    const live = document.querySelector("[sse-connect]");
    if (!live || !lost) return;
    const silent = Date.now() - heardAt;
    lost.classList.toggle("shown", silent > SILENT_MS);
    const busy = document.activeElement && document.activeElement.matches("input, textarea, select");
    if (silent > SILENT_MS && !busy && !document.hidden) {
      heardAt = Date.now(); // Tried again as late, should the page come from a cache.
      window.location.reload();
    }
  };
  const heard = () => { heardAt = Date.now(); };
  document.addEventListener("htmx:sseMessage", () => { heard(); tick(); });
  document.addEventListener("htmx:sseOpen", (event) => {
    heard();
    event.detail.source.addEventListener("beat", heard);
  });
  document.addEventListener("htmx:afterSettle", tick);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!all.matches || !all.matches("input[data-all]")) return;
    for (const one of document.querySelectorAll(`input[name="${all.dataset.all}"]`)) one.checked = all.checked;
  });
  setInterval(tick, 1000);
  tick();
})();
