"""What a minister or an assembly takes along: the brief of a country and the report of a year, as a page and as PDF."""

from projects.interchange.briefs.country import brief_of
from projects.interchange.briefs.parts import Brief
from projects.interchange.briefs.pdf import as_pdf
from projects.interchange.briefs.year import report_of, years

__all__ = ["Brief", "as_pdf", "brief_of", "report_of", "years"]
