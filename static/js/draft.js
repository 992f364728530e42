// Drafting without waiting: saves while one types, counts words, shows similar records. Every page works without it.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("part");
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
  if (form && "unsaved" in form.dataset) counters.forEach(count);
  if (!form?.dataset.saving) return;
  saveWhileTyping(form);
  if (form.dataset.similar) showSimilar(form);
});

// One save at a time, so that no answer overtakes another. What was typed meanwhile is sent after it. A save whose answer
// was lost is sent again as it was before anything newer: the portal then says that it has it, and nothing is doubled.
function saveWhileTyping(form) {
  const status = document.getElementById("saved"), last = document.getElementById("saved-last");
  const signIn = document.getElementById("saved-sign-in");
  const PAUSE = 2000, AGAIN = 15000, LONGEST = 60000;
  let typed = "unsaved" in form.dataset ? 1 : 0, saved = 0; // how often something changed; how much of that is stored
  let unanswered = null, running = null, stopped = "conflict" in form.dataset;
  let timer, typedAt = 0;
  const isOpen = () => typed !== saved;
  const say = (text, isProblem = false, isSignedOut = false) => {
    status.textContent = text;
    status.after(signIn);
    signIn.hidden = !isSignedOut;
    status.classList.toggle("bad", isProblem);
  };
  const later = (after) => { clearTimeout(timer); timer = setTimeout(save, after); };
  const afterPause = () => later(Math.max(0, typedAt + PAUSE - Date.now()));

  const post = () => fetch(form.action, {
    method: "POST", body: unanswered.body, headers: { "X-Background": "save" }, redirect: "manual",
    signal: AbortSignal.timeout?.(LONGEST),
  });
  const isJson = (answer) => answer.headers.get("Content-Type")?.includes("json");
  // Signed in again elsewhere: the page's mark against forged forms is an old one, so it takes the present one.
  const renewMark = async () => {
    const page = await fetch(location.pathname, { redirect: "manual" });
    if (!page.ok) return false;
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    const mark = fresh.querySelector("#part [name=csrfmiddlewaretoken]")?.value;
    if (!mark) return false;
    document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = mark; });
    unanswered.body.set("csrfmiddlewaretoken", mark);
    return true;
  };
  const take = async (answer) => {
    const sent = unanswered.typed;
    const found = isJson(answer) ? await answer.json() : {};
    if (answer.ok && found.seen) {
      saved = sent;
      unanswered = null;
      form.elements.seen.value = found.seen;
      for (const [name, key] of Object.entries(found.rows ?? {})) {
        form.elements[name].value = key;
        form.elements[name].closest("fieldset").querySelector("[data-remove]")?.removeAttribute("hidden");
      }
      last.textContent = found.said;
      say(isOpen() ? form.dataset.open : found.said);
      if (isOpen()) afterPause();
    } else if (answer.type === "opaqueredirect" || answer.status === 401 || (!isJson(answer) && (answer.ok || answer.status === 403))) {
      say(found.said ?? form.dataset.ended, true, true); // tried again: they sign in elsewhere, then it goes on
      later(AGAIN);
    } else if (answer.status >= 500 || answer.status === 429) {
      say(form.dataset.refused, true);
      later(AGAIN);
    } else { // it was read and refused: nothing of it is stored
      unanswered = null;
      stopped = answer.status !== 400;
      say(found.said ?? form.dataset.lost, true);
      if (typed !== sent) afterPause();
    }
  };
  const send = async () => {
    unanswered ??= { body: new FormData(form), typed };
    say(form.dataset.saving);
    try {
      let answer = await post();
      if (answer.status === 403 && !isJson(answer) && await renewMark()) answer = await post();
      await take(answer);
    } catch {
      say(form.dataset.failed, true);
      later(AGAIN);
    }
  };
  const save = () => {
    clearTimeout(timer);
    if (running || stopped || (!isOpen() && !unanswered)) return running;
    running = send().finally(() => { running = null; });
    return running;
  };

  form.addEventListener("input", (event) => {
    typed += 1;
    typedAt = Date.now();
    event.target.closest(".field")?.append(status, signIn);
    if (!stopped) {
      say(form.dataset.open);
      afterPause();
    } else if (!status.textContent) {
      say(form.dataset.open);
    }
  });
  addEventListener("online", save);
  document.addEventListener("visibilitychange", save); // away: before the phone ends the page; back: after signing in elsewhere

  let leaving = false, waits = false;
  form.addEventListener("submit", async (event) => {
    if (leaving || waits) return event.preventDefault();
    if (!running && !unanswered) {
      clearTimeout(timer);
      leaving = true;
      return;
    }
    // Two saves at once would be two writers: the press is done after the answer.
    event.preventDefault();
    waits = true;
    await running;
    if (unanswered) await save();
    waits = false;
    if (!unanswered) return form.requestSubmit(event.submitter);
    status.scrollIntoView({ block: "center" }); // the press is not done: what keeps it may stand far above
    status.focus({ preventScroll: true });
  });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("beforeunload", (event) => { if (isOpen() && !leaving) event.preventDefault(); });
}

function showSimilar(form) {
  const box = document.getElementById("similar");
  let asking, asked = "";
  form.addEventListener("input", () => {
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const words = new URLSearchParams({ title: form.elements.title.value, problem: form.elements.problem.value.slice(0, 300) });
      if (String(words) === asked) return;
      asked = String(words);
      try {
        const answer = await fetch(`${form.dataset.similar}?${words}`, { redirect: "manual" });
        if (answer.ok && String(words) === asked) box.innerHTML = await answer.text();
      } catch { asked = ""; } // without a line it is asked again with the next words
    }, 600);
  });
}
