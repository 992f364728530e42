// Tells, when a page is left, which matches it has shown and which of them was opened: how good matching is. Counted, not by whom.
document.addEventListener("DOMContentLoaded", () => {
  const seen = document.getElementById("seen");
  const matches = [...document.querySelectorAll("[data-match]")];
  if (!seen || !matches.length || !navigator.sendBeacon) return;
  let told = false;
  const opened = new Set();
  const tell = (pairs, more) => {
    if (!pairs.length) return;
    const data = new FormData();
    data.append("csrfmiddlewaretoken", seen.dataset.token);
    data.append("pairs", pairs.join(","));
    if (more) data.append(more, "1");
    navigator.sendBeacon(seen.dataset.url, data);
  };
  matches.forEach((match) => match.addEventListener("click", (event) => {
    if (event.target.closest("a, button")) opened.add(match.dataset.match);
  }));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    if (!told) tell(matches.map((match) => match.dataset.match));
    told = true;
    tell([...opened], "opened");
    opened.clear();
  });
});
