// Names for screen readers that Django's admin and its autocomplete leave out.
{
  const words = document.currentScript.dataset;
  const name = () => {
    for (const box of document.querySelectorAll("select.admin-autocomplete + .select2 .select2-selection:not([aria-label])")) {
      const select = box.closest(".select2").previousElementSibling;
      const label = select.getAttribute("aria-label") || select.labels[0]?.textContent.trim() || select.name;
      box.setAttribute("aria-label", label);
      box.querySelector(".select2-selection__rendered")?.setAttribute("aria-label", label);
    }
    for (const box of document.querySelectorAll('input[name$="-DELETE"]:not([aria-label])')) {
      if (!box.labels.length) box.setAttribute("aria-label", words.remove);
    }
    for (const cell of document.querySelectorAll("th.original:empty")) cell.append(words.row);
    document.getElementById("searchbar")?.setAttribute("aria-label", words.search);
  };
  // The autocomplete draws its boxes when it likes, also in rows that are added later.
  let waiting;
  const soon = () => { waiting ??= setTimeout(() => { waiting = undefined; name(); }); };
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  soon();
}
