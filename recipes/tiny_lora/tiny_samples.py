"""The contact sheet: what the model draws for some captions, without and with the LoRA."""

import io
import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from tiny_model import Array, Denoiser, decode, signal_and_noise
from tiny_training import FIRST_TIME, LAST_TIME, Training

COLUMNS = 6
DENOISING_STEPS = 25
SAMPLE_SEED = 5
CELL, GAP, MARGIN, TEXT = 128, 6, 44, 64  # pixels
CAPTION_LINES = 4


def draw_pictures(model: Denoiser, captions: Array) -> Array:
    """One picture a caption, from fixed noise: [captions, size, size, 3] in about [-1, 1]."""
    fixed = np.random.RandomState(SAMPLE_SEED)
    shape = (len(captions), model.latent_width)
    noisy = fixed.standard_normal(shape).astype(np.float32)
    times = np.linspace(LAST_TIME, FIRST_TIME, DENOISING_STEPS, dtype=np.float32)
    # The last step is to time 0, where what is left is the picture.
    for now, after in zip(times, [*times[1:], np.float32(0)], strict=True):
        rows = np.full(len(captions), now, dtype=np.float32)
        a, s = signal_and_noise(rows)
        noise = model.predict(noisy, rows, captions)
        clean = (noisy - s * noise) / a
        a, s = signal_and_noise(np.full(len(captions), after, dtype=np.float32))
        noisy = np.asarray(a * clean + s * noise, dtype=np.float32)
    return decode(noisy, model.size)


def contact_sheet(training: Training) -> bytes:
    """A PNG: rows *data*, *base* (same noise, no LoRA) and *LoRA*; captions below."""
    data, model = training.data, training.model
    count = min(COLUMNS, len(data.texts))
    chosen = [i * len(data.texts) // count for i in range(count)]
    with np.errstate(all="ignore"):
        tuned = draw_pictures(model, data.captions[chosen])
        with model.without_adapters():
            base = draw_pictures(model, data.captions[chosen])
    rows = {"data": decode(data.latents[chosen], model.size), "base": base, "LoRA": tuned}
    return _sheet(rows, [data.texts[i] for i in chosen], training.step)


def _sheet(rows: dict[str, Array], texts: list[str], step: int) -> bytes:
    pitch = CELL + GAP
    size = (MARGIN + len(texts) * pitch, len(rows) * pitch + TEXT)
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for y, (label, pictures) in enumerate(rows.items()):
        pen.text((6, y * pitch + CELL // 2), label, "black", font)
        for x, picture in enumerate(pictures):
            sheet.paste(_enlarged(picture), (MARGIN + x * pitch, GAP + y * pitch))
    for x, text in enumerate(texts):
        lines = textwrap.wrap(text, 22, max_lines=CAPTION_LINES, placeholder=" ...")
        place = (MARGIN + x * pitch, GAP + len(rows) * pitch)
        pen.multiline_text(place, "\n".join(lines), "black", font, spacing=1)
    about = PngInfo()
    about.add_text("step", str(step))
    for x, text in enumerate(texts):
        about.add_itxt(f"caption {x}", text)
    content = io.BytesIO()
    sheet.save(content, format="PNG", pnginfo=about)
    return content.getvalue()


def _enlarged(picture: Array) -> Image.Image:
    levels = np.nan_to_num(picture).clip(-1, 1) * 127.5 + 127.5
    image = Image.fromarray(levels.round().astype(np.uint8))
    return image.resize((CELL, CELL), Image.Resampling.NEAREST)
