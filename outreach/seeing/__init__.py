"""Pictures of what was recorded: world map, flows, bars and columns, each with its sentence, its table and its file.

`counting.py` finds the figures behind the filters of a list, `drawing.py` makes the SVG of them, `pictures.py` says
which pictures there are.
"""

from outreach.seeing.pictures import PICTURES, Made, Picture, made, of

__all__ = ["PICTURES", "Made", "Picture", "made", "of"]
