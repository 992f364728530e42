"""Pictures for pages: checked like every upload, then made small enough for a slow line."""

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from ground import incoming
from outreach.models import Picture
from projects.uploads import LARGEST, scan

WIDEST, HIGHEST = 960, 1200  # pixels
MOST_PIXELS = 50_000_000  # before it is made small
QUALITY = 68  # of JPEG


def put(picture: Picture, file) -> None:
    """Makes an uploaded file the picture's file, as JPEG without what cameras add. Raises ValidationError."""
    if file.size > LARGEST:
        raise ValidationError(_("This file is larger than %(n)s MB. Send a smaller one.") % {"n": LARGEST // 1024**2})
    content = file.read()
    scan(content)
    made, size = incoming.picture(
        content, unpacked=LARGEST, width=WIDEST, height=HIGHEST, pixels=MOST_PIXELS, quality=QUALITY
    )
    picture.width, picture.height = size
    picture.file = ContentFile(made, name=f"{picture.name or 'picture'}.jpg")
