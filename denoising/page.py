"""A page on which a slider uncovers the denoised pictures: one file that needs nothing else, for any browser."""

from base64 import b64encode
from html import escape
from io import BytesIO

from data.load import DataError
from data.pictures import Picture

from .sheet import on_white

QUALITY = 95  # of the JPEG pictures in the page: at less, what is seen is as much JPEG's as the noise
SIDE = 65_500  # pixels that JPEG can have a side

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Before and after</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem }
figure { margin: 0 0 2.5rem }
figcaption { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline }
figcaption b { flex: 1; overflow-wrap: anywhere }
.view { overflow: auto; max-height: 90vh }
.pair { position: relative; display: grid; width: fit-content; --at: 50% }
.pair > * { grid-area: 1 / 1 }
.pair img { display: block; max-width: 100%; max-height: 88vh }
.pair img:first-of-type { z-index: 1; clip-path: inset(0 calc(100% - var(--at)) 0 0) }
.pair.real img { max-width: none; max-height: none }
.line { z-index: 2; width: 2px; background: #fff; box-shadow: 0 0 3px #000; margin-left: calc(var(--at) - 1px) }
.pair input { z-index: 3; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; touch-action: pan-y }
.pair:focus-within { outline: 3px solid #38f }
</style>
<h1>Before and after</h1>
<p>Drag over a picture, or use the arrow keys: left of the line it is noisy, right of it denoised.</p>
"""
FIGURE = """<figure>
<figcaption><b>{name}</b> <span>{before}</span> <span>{after}</span>
<button type="button" aria-pressed="false">real size</button></figcaption>
<div class="view"><div class="pair">
<img alt="{name}, {before}" src="{noisy}">
<img alt="{name}, {after}" src="{denoised}">
<div class="line"></div>
<input type="range" min="0" max="100" step="0.1" value="50" aria-label="{name}: where the line is">
</div></div>
</figure>
"""
TAIL = """<script>
for (const figure of document.querySelectorAll("figure")) {
  const [pair, slider, button] = [".pair", "input", "button"].map(name => figure.querySelector(name));
  const place = value => pair.style.setProperty("--at", value + "%");
  slider.addEventListener("input", () => place(slider.value));
  // Wherever the finger or the pointer is, there is the line.
  slider.addEventListener("pointermove", event => {
    if (!event.buttons) return;
    const box = pair.getBoundingClientRect();
    slider.value = 100 * (event.clientX - box.left) / box.width;
    place(slider.value);
  });
  slider.addEventListener("keydown", event => {
    const step = {ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2}[event.key];
    if (!step) return;
    event.preventDefault();
    slider.value = Number(slider.value) + step;
    place(slider.value);
  });
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", pair.classList.toggle("real"));
  });
}
</script>
</html>
"""


def figure(name: str, before: tuple[str, Picture], after: tuple[str, Picture]) -> str:
    """What the page says of one picture: the title and the picture before, and those after."""
    (title, noisy), (result, denoised) = before, after
    texts = {"name": escape(name, quote=True), "before": escape(title), "after": escape(result)}
    return FIGURE.format(**texts, noisy=_uri(name, noisy), denoised=_uri(name, denoised))


def page(figures: list[str]) -> list[str]:
    """The whole page, in parts."""
    return [HEAD, *figures, TAIL]


def _uri(name, picture):
    """The picture itself, in the form of an address."""
    image = on_white(picture)
    if max(image.size) > SIDE:
        raise DataError(f"{name} is {picture.size}: too large for a page, where a side has {SIDE} pixels at most")
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, subsampling=0, icc_profile=picture.profile)
    return f"data:image/jpeg;base64,{b64encode(file.getbuffer()).decode()}"
