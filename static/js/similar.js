// While a title is typed in admin: projects that resemble it. The server finds and draws them.
document.addEventListener("DOMContentLoaded", () => {
  const title = document.querySelector("[data-similar]");
  const box = document.getElementById("similar");
  if (!title || !box) return;
  let timer, asked = "";
  const ask = async () => {
    const words = title.value.trim();
    if (words === asked) return;
    asked = words;
    if (words.length < 8) { box.replaceChildren(); return; }
    const answer = await fetch(`${box.dataset.url}?title=${encodeURIComponent(words)}&without=${box.dataset.without}`);
    if (answer.ok && words === asked) box.innerHTML = await answer.text();
  };
  title.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 400); });
  title.closest(".form-row")?.after(box);
});
