// Tells which matches a page has shown, and which of them is opened: how good matching is. Counted, not by whom.
document.addEventListener("DOMContentLoaded", () => {
  const seen = document.getElementById("seen");
  if (!seen || !navigator.sendBeacon) return;
  const matches = [...document.querySelectorAll("[data-match]")];
  const tell = (pairs, more) => {
    const data = new FormData();
    data.append("csrfmiddlewaretoken", seen.dataset.token);
    data.append("pairs", pairs.join(","));
    if (more) data.append(more, "1");
    navigator.sendBeacon(seen.dataset.url, data);
  };
  if (matches.length) tell(matches.map((match) => match.dataset.match));
  matches.forEach((match) => match.addEventListener("click", (event) => {
    if (event.target.closest("a, button")) tell([match.dataset.match], "opened");
  }));
});
