"""Pictures for pages: checked like every upload, then made small enough for a slow line."""

import io

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from outreach.models import Picture
from projects.uploads import LARGEST, media_type, scan

WIDEST, HIGHEST = 960, 1200  # pixels
MOST_PIXELS = 50_000_000  # before it is made small
QUALITY = 68  # of JPEG


def put(picture: Picture, file) -> None:
    """Makes an uploaded file the picture's file, as JPEG without what cameras add. Raises ValidationError."""
    if file.size > LARGEST:
        raise ValidationError(_("This file is larger than %(n)s MB. Send a smaller one.") % {"n": LARGEST // 1024**2})
    content = file.read()
    if media_type(content)[0] not in ("image/png", "image/jpeg"):
        raise ValidationError(_("This file is not taken: by its content it is neither PNG nor JPEG."), code="type")
    scan(content)
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValidationError(_("This picture has too many pixels. Send a smaller one."))
            image = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise ValidationError(_("This picture can't be read. Save it anew and send it again.")) from None
    image.thumbnail((WIDEST, HIGHEST))
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    made = io.BytesIO()
    flat.save(made, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    picture.width, picture.height = flat.size
    picture.file = ContentFile(made.getvalue(), name=f"{picture.name or 'picture'}.jpg")
