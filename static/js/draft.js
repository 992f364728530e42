// Drafting without waiting: saves while one types, counts words, shows similar records. Every page works without it.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("part");
  const said = document.getElementById("saved");
  const count = (box) => {
    const text = document.getElementById(box.dataset.counts)?.value ?? "";
    const words = text.trim() ? text.trim().split(/\s+/).length : 0;
    box.firstElementChild.textContent = `${box.dataset.words} ${words}`;
    box.querySelector("b").textContent = text.length.toLocaleString("en").replaceAll(",", "\u202f");
  };
  const counters = [...document.querySelectorAll("[data-counts]")];
  document.addEventListener("input", (event) => {
    counters.filter((box) => box.dataset.counts === event.target.id).forEach(count);
  });
  if (!form?.dataset.saving) return;

  let timer, changed = false, running = false;
  const save = async () => {
    if (!changed || running) return;
    changed = false; running = true;
    said.textContent = form.dataset.saving;
    try {
      const answer = await fetch(form.action || location.href, {
        method: "POST", body: new FormData(form), headers: { "X-Background": "save" }, redirect: "manual",
      });
      const found = await answer.json();
      said.textContent = found.said;
      if (found.seen) form.elements.seen.value = found.seen;
    } catch {
      said.textContent = form.dataset.failed;
      changed = true;
      timer = setTimeout(save, 15000);
    }
    running = false;
  };
  form.addEventListener("input", () => {
    changed = true;
    said.textContent = form.dataset.open;
    clearTimeout(timer);
    // New lines get their keys from the server, so lines are saved by a press only.
    if (!form.querySelector("[name=lines-TOTAL_FORMS]")) timer = setTimeout(save, 2000);
  });
  let sent = false;
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });

  const box = document.getElementById("similar");
  if (!form.dataset.similar) return;
  let asking, asked = "";
  form.addEventListener("input", () => {
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const words = new URLSearchParams({ title: form.elements.title.value, problem: form.elements.problem.value.slice(0, 300) });
      if (String(words) === asked) return;
      asked = String(words);
      const answer = await fetch(`${form.dataset.similar}?${words}`);
      if (answer.ok && String(words) === asked) box.innerHTML = await answer.text();
    }, 600);
  });
});
