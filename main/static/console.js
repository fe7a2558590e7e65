// All pages work without this. A picture that cannot be loaded makes room for the placeholder behind it.
"use strict";

function giveUp(image) {
  image.classList.add("failed");
}

document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) {
    giveUp(event.target);
  }
}, true);

for (const image of document.images) {
  if (image.complete && image.naturalWidth === 0 && image.currentSrc) {
    giveUp(image);
  }
}

// A form that was sent is not sent again by an impatient second press.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "post") {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "1";
  }
});

// Back from the next page, forms can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
  }
});
