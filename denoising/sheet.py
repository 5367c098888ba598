"""The montage: one sheet with a row for each picture, noisy, denoised and clean."""

from itertools import zip_longest

from PIL import Image, ImageDraw, ImageFont

from data.pictures import Picture

SHOWN = 320  # pixels: a montage magnifies smaller pictures by a whole number, so that their pixels can be seen
MARGIN = 10  # pixels between the pictures of a montage


def cell(title: str, picture: Picture) -> tuple[str, Image.Image]:
    """A picture as a montage shows it: on white, and magnified if it is small."""
    image = on_white(picture)
    factor = max(1, SHOWN // max(image.size))
    return title, image.resize([factor * length for length in image.size], Image.Resampling.NEAREST)


def on_white(picture: Picture) -> Image.Image:
    """In RGB, where it is transparent on white."""
    image = picture.image()
    if picture.alpha is not None:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def montage(rows: list[list[tuple[str, Image.Image]]]) -> Image.Image:
    """One sheet: a row for each list of (title, image), the title under its image."""
    widest = max(image.width for row in rows for _, image in row)
    font = ImageFont.load_default(max(15, widest // 20))
    line = sum(font.getmetrics()) + MARGIN // 2
    columns = list(zip_longest(*rows))  # a row may lack the clean picture
    widths = [
        max(max(image.width, round(font.getlength(title))) for title, image in filter(None, column))
        for column in columns
    ]
    heights = [max(image.height for _, image in row) + line for row in rows]
    size = sum(widths) + MARGIN * (len(widths) + 1), sum(heights) + MARGIN * (len(rows) + 1)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    y = MARGIN
    for row, height in zip(rows, heights, strict=True):
        x = MARGIN
        for (title, image), width in zip(row, widths, strict=False):
            middle, bottom = x + width // 2, y + height - line
            sheet.paste(image, (middle - image.width // 2, bottom - image.height))
            draw.text((middle, bottom + MARGIN // 2), title, "black", font, anchor="ma")
            x += width + MARGIN
        y += height + MARGIN
    return sheet
