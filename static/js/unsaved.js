// Leaving a page with text that was typed and not sent asks first. Drafts, which save themselves, ask by themselves (draft.js).
{
  const open = new Set();
  const isWritten = (form) => form?.method === "post" && form.querySelector("textarea") && !("saving" in form.dataset);
  addEventListener("input", ({ target }) => { if (isWritten(target.form)) open.add(target.form); });
  addEventListener("submit", ({ target }) => open.delete(target));
  addEventListener("beforeunload", (event) => { if (open.size) event.preventDefault(); });
  // Shown again with what is wrong: what was typed is still nowhere else.
  document.querySelectorAll("form:has(textarea):has(.summary, .errornote, .errorlist, .err)").forEach((form) => { if (isWritten(form)) open.add(form); });
}
