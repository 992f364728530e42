"""The process in which files that came in are read: `python -m ground.reading KIND OPTIONS`, content on standard input.

`incoming.py` starts it, with nothing in its environment. It bounds itself in memory and processor time before it reads
anything; it knows neither Django nor the database. It answers on standard output: a line of JSON, then bytes if any. What is
refused is told as a code with its details; the sentence is made where the reader's language is known.
"""

import io
import json
import re
import resource
import sys
import zipfile
import zlib
from itertools import pairwise

# What it may hold, in bytes: a picture of 50 million pixels unfolds to 200 MB, whatever it is packed to.
MEMORY = {"type": 180 * 1024**2, "workbook": 180 * 1024**2, "picture": 360 * 1024**2}
# Of the processor, to begin with and at most; somebody waits. 500 000 cells take 7 and are larger than a megabyte, 50 million
# pixels take 2, whatever they are packed to.
SECONDS = {"type": 2, "workbook": 2, "picture": 5}
SECONDS_FOR_A_MEGABYTE, MOST_SECONDS = 10, 20  # of a workbook
PIECE = 256 * 1024
SHARED = 900 * 1024**2  # addresses of programs and libraries, on top
OFFICE = {"word/": ".docx", "xl/": ".xlsx", "ppt/": ".pptx"}
OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
SIMPLE = {".pdf": ".pdf", ".png": ".png", ".jpg": ".jpg", ".jpeg": ".jpg", ".jfif": ".jpg"}
MOST_ENTRIES = 10_000  # of an archive
MOST_SIGNS = 20_000_000  # of text in a workbook
MOST_PACKED = 100  # times smaller than what it holds; workbooks of people are 5 to 30 times
SMALL = 2 * 1024**2  # that much a workbook may unpack to, however small it is
MOST_TAGS = 100_000  # in sheets beside those of rows and cells, as many in what says how they look
MOST_SCANS = 40  # of a picture; programs write 10 at most
STRIP = 128  # rows of a picture that is made small
SHEETS, MOST_SHEETS = "xl/worksheets/", 200
LAST_ROW = 1_048_576  # of a sheet
CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
LONG_TAG = re.compile(rb"<[^<>]{20000}")
STRINGS, BOOK = "xl/sharedStrings.xml", "xl/workbook.xml"
STRICT = b"purl.oclc.org/ooxml/spreadsheetml"  # ISO/IEC 29500 in its strict form, of which openpyxl reads nothing
FAR_COLUMN, FAR_ROW = 703, 100_000  # from there on what stands in a cell belongs to no table
MOST_NAMED = 10  # of cells that a sentence lists
COMMENTS = {"comment", "threadedComment"}


class Refused(Exception):
    """What is not read: a code that `incoming` has a sentence for, and the details of it."""

    def __init__(self, code: str, **details):
        super().__init__(code)
        self.details = details


# --- what kind of file it is -------------------------------------------------------------------------------------------
def type_of(content: bytes, unpacked: int) -> tuple[dict, bytes]:
    """Its extension, by what it says. Office files are archives: what they are stands inside."""
    return {"extension": _extension(content, unpacked)}, b""


def _extension(content: bytes, unpacked: int) -> str:
    if content[:4] == b"PK\x03\x04":
        return _inside_archive(content, unpacked)
    import puremagic

    try:
        found = puremagic.from_string(content)
    except (puremagic.PureError, ValueError):
        raise Refused("type") from None
    if found not in SIMPLE or (found == ".pdf" and not content.startswith(b"%PDF-")):
        raise Refused("type")
    return SIMPLE[found]


def _inside_archive(content: bytes, unpacked: int) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries, names = archive.infolist(), archive.namelist()
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise Refused("macros")
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > unpacked:
                raise Refused("unpacked", n=unpacked // 1024**2)
            kind = ""
            if "mimetype" in names:
                with archive.open("mimetype") as file:
                    kind = file.read(100).decode("ascii", "replace").strip()
            if kind in OPEN_DOCUMENT:
                return OPEN_DOCUMENT[kind]
            folders = [folder for folder in OFFICE if any(name.startswith(folder) for name in names)]
            if "[Content_Types].xml" in names and folders:
                return OFFICE[folders[0]]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError):
        pass
    raise Refused("type")


# --- a workbook --------------------------------------------------------------------------------------------------------
def workbook(content: bytes, unpacked: int, cells: int, rows: int, columns: int) -> tuple[dict, bytes]:
    """The cells of each sheet as {name: [[number of the row, its cells], ...]}, without rows that hold nothing.

    A day stands in a list of its own, so that it is told from a text.
    """
    if _extension(content, unpacked) != ".xlsx":
        raise Refused("no_workbook")
    count = _looked_through(content, unpacked, cells)
    from lxml import etree
    from openpyxl import load_workbook
    from openpyxl.reader import excel
    from openpyxl.utils.exceptions import InvalidFileException
    from openpyxl.worksheet import _read_only

    excel.read_string_table = _shared_texts
    _read_only.WorkSheetParser = parser = _orderly(_read_only.WorkSheetParser)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        parser.percentages, parser.most_cells, parser.left = _percentages(book), cells, cells - count
        left = {"places": 10 * cells, "kept": 2 * cells, "rows": 2 * LAST_ROW, "signs": MOST_SIGNS}
        found, merged, comments = {}, {}, {}
        for sheet in book.worksheets:
            parser.areas = {}
            found[sheet.title] = _rows(sheet, rows, columns, left)
            merged[sheet.title] = list(parser.areas.values())
            comments[sheet.title] = _commented(book._archive, sheet)
    except (InvalidFileException, etree.XMLSyntaxError, SyntaxError, KeyError, ValueError, OSError, TypeError, IndexError,
            AttributeError, EOFError, zipfile.BadZipFile, zlib.error):  # fmt: skip
        raise Refused("damaged") from None
    without_result = parser.without_result[:5]
    return {"sheets": found, "merged": merged, "comments": comments, "without_result": without_result}, b""


def _looked_through(content: bytes, unpacked: int, cells: int) -> int:
    """Counts the cells before anything is made of them. What isn't written as it is looked for here counts as a tag of
    another kind, of which there may be fewer; what cells say and which are merged is asked where they are read (`_orderly`)."""
    count, size, tags = 0, 0, {}
    packed = max(SMALL, MOST_PACKED * len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(name.startswith(SHEETS) for name in archive.namelist()) > MOST_SHEETS:
                raise Refused("too_much")
            for name in archive.namelist():
                for piece in _pieces(archive, name):
                    size += len(piece)
                    if size > unpacked:
                        raise Refused("unpacked", n=unpacked // 1024**2)
                    if size > packed or LONG_TAG.search(piece):
                        raise Refused("too_much")
                    is_sheet = name.startswith(SHEETS)
                    if STRICT in piece and (is_sheet or name == BOOK):
                        raise Refused("strict")
                    here = len(CELL.findall(piece)) if is_sheet else 0
                    if name != STRINGS:
                        more = piece.count(b"<") - 8 * here - (2 * len(ROW.findall(piece)) if is_sheet else 0)
                        tags[is_sheet] = tags.get(is_sheet, 0) + max(more, 0)
                        if tags[is_sheet] > MOST_TAGS:
                            raise Refused("too_much")
                    count += here
                    if count > cells:
                        raise Refused("cells", n=cells)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError):
        raise Refused("damaged") from None
    return count


def _pieces(archive: zipfile.ZipFile, name: str):
    """A member a piece at a time, parted between two cells where it has any."""
    rest = b""
    with archive.open(name) as file:
        while piece := file.read(PIECE):
            whole, end, after = (rest + piece).rpartition(b"</c>")
            if end or len(after) > 4 * PIECE:
                yield whole + end if end else after
                rest = after if end else b""
            else:
                rest = after
    yield rest


def _orderly(parser: type) -> type:
    """The parser of openpyxl, which leaves out, without a word, rows and cells that stand behind later ones, and all but the
    last of two. What it makes of a sheet is counted and told here, however the file writes it."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG

    class Orderly(parser):
        percentages: frozenset[int] = frozenset()  # styles in which 0.8 is shown as 80 %
        most_cells, left = 0, 0  # that the book may have, merged ones counted, and may still have
        areas: dict[str, list] = {}  # of merged cells of the sheet that is read: name, rows, columns
        without_result: list[str] = []  # cells whose formula was never worked out; an empty text is a result

        @property
        def merged_cells(self):
            return None

        @merged_cells.setter
        def merged_cells(self, found):
            for one in found.mergeCell if found else ():
                Orderly.left -= (one.max_row - one.min_row + 1) * (one.max_col - one.min_col + 1)
                if Orderly.left < 0:
                    raise Refused("cells", n=self.most_cells)
                self.areas[one.ref] = [one.ref, one.min_row, one.max_row, one.min_col, one.max_col]

        def parse_cell(self, element):
            cell = super().parse_cell(element)
            if cell["value"] is not None or element.find(FORMULA_TAG) is None:
                return cell
            if element.get("t") != "str" or element.find(VALUE_TAG) is None:
                self.without_result.append(f"{get_column_letter(cell['column'])}{cell['row']}")
            return cell

        def parse(self):
            last = 0
            for number, cells in super().parse():
                columns = [cell["column"] for cell in cells]
                if number <= last or any(after <= before for before, after in pairwise(columns)):
                    raise Refused("damaged")
                if any(cell["row"] != number for cell in cells):
                    raise Refused("damaged")
                last = number
                for cell in cells:
                    if cell["value"] is not None and (cell["column"] >= FAR_COLUMN or number >= FAR_ROW):
                        raise Refused("far", cell=f"{get_column_letter(min(cell['column'], 18278))}{number}"[:20])
                    if cell["style_id"] in self.percentages and type(cell["value"]) in (int, float):
                        cell["value"] = f"{cell['value'] * 100:.15g}%"  # as a person reads it
                yield number, cells

    return Orderly


def _shared_texts(source) -> list[str]:
    """The texts that several cells share, as they stand: openpyxl's own way takes half of an escape away (`_unescaped`)."""
    from openpyxl.cell.text import Text
    from openpyxl.xml.constants import SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    found = []
    for _event, element in iterparse(source):
        if element.tag == f"{{{SHEET_MAIN_NS}}}si":
            found.append(Text.from_tree(element).content)
            element.clear()
    return found


def _commented(archive: zipfile.ZipFile, sheet) -> list[str]:
    """The first cells below the heads of a sheet that have a comment; heads have those of our own templates."""
    from openpyxl.packaging.relationship import get_dependents, get_rels_path
    from openpyxl.utils import coordinate_to_tuple
    from openpyxl.xml.functions import iterparse

    path, found = get_rels_path(sheet._worksheet_path), {}
    if path not in archive.namelist():
        return []
    targets = [
        rel.Target
        for rel in get_dependents(archive, path)
        if rel.Type.rpartition("/")[2].lower() in ("comments", "threadedcomment")
    ]
    for target in targets:
        if target not in archive.namelist():
            continue
        with archive.open(target) as file:
            for _event, element in iterparse(file):
                if element.tag.rpartition("}")[2] in COMMENTS and (name := element.get("ref")):
                    if coordinate_to_tuple(name)[0] > 1:
                        found[name] = None
                    element.clear()
    return list(found)[: MOST_NAMED + 1]


def _percentages(book) -> frozenset[int]:
    """The styles of a workbook by which a number is shown as a percentage."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    formats = BUILTIN_FORMATS | dict(enumerate(book._number_formats, start=BUILTIN_FORMATS_MAX_SIZE))
    return frozenset(n for n, style in enumerate(book._cell_styles) if "%" in (formats.get(style.numFmtId) or ""))


def _rows(sheet, most_rows: int, most_columns: int, left: dict) -> list[list]:
    """`left`: how many rows, places and signs the book may still have. A row that reaches far right has many places; those
    up to its last filled cell are kept, and whoever asked for the file goes over them."""
    sheet.reset_dimensions()  # what the file says of its size need not be true
    found = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        left["rows"] -= 1
        left["places"] -= len(cells)
        if not cells and left["rows"] >= 0 and number <= LAST_ROW:
            continue
        row = [_told(cell) for cell in cells]
        while row and (row[-1] is None or (isinstance(row[-1], str) and not row[-1].strip())):
            row.pop()
        if number > LAST_ROW or (row and number > most_rows):
            raise Refused("rows", n=most_rows, sheet=sheet.title)
        if len(row) > most_columns:
            raise Refused("columns", n=most_columns, sheet=sheet.title)
        left["kept"] -= len(row)
        left["signs"] -= sum(len(cell) for cell in row if isinstance(cell, str))
        if min(left.values()) < 0:
            raise Refused("too_much")
        if row:
            found.append([number, row])
    return found


def _told(value):
    if isinstance(value, str):
        return _unescaped(value) if "_x" in value else value
    if value is None or isinstance(value, bool | int | float):
        return value
    iso = getattr(value, "isoformat", None)
    if not hasattr(value, "year"):
        return [iso() if iso else str(value)]
    return [str(value).removesuffix(" 00:00:00")]  # a day; of a moment its time, too


def _unescaped(text: str) -> str:
    """A text of a workbook, in which _xHHHH_ stands for a sign (ECMA-376, ST_Xstring): of an end of line, of an underscore."""
    from openpyxl.utils.escape import unescape

    try:
        whole = unescape(text).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:  # half of a pair: no sign
        return text
    return whole.replace("\r\n", "\n").replace("\r", "\n")


# --- a picture ---------------------------------------------------------------------------------------------------------
def picture(content: bytes, unpacked: int, width: int, height: int, pixels: int, quality: int) -> tuple[dict, bytes]:
    """A JPEG no larger than this, without what cameras add; on white where it was transparent."""
    if _extension(content, unpacked) not in (".png", ".jpg"):
        raise Refused("no_picture")
    if content[:2] == b"\xff\xd8" and content.count(b"\xff\xda") > MOST_SCANS:
        raise Refused("no_image")
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > pixels:
                raise Refused("pixels", n=pixels // 1_000_000)
            longest = max(width, height)
            opened.draft("RGB", (longest, longest))  # a JPEG is not unfolded larger than is needed
            image = _reduced(opened, max(opened.size) // longest or 1)
            image.info, turned = opened.info, opened.getexif()
            image.getexif().update(turned)
            image = ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:  # so many that Pillow itself stops
        raise Refused("pixels", n=pixels // 1_000_000) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise Refused("no_image") from None
    image.thumbnail((width, height))
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    made = io.BytesIO()
    flat.save(made, "JPEG", quality=quality, optimize=True, progressive=True)
    return {"width": flat.width, "height": flat.height}, made.getvalue()


def _reduced(opened, by: int):
    """The picture so many times smaller, a strip at a time: other kinds of pixels and transparency would each cost a copy of all."""
    from PIL import Image

    width, height = opened.size
    image = Image.new("RGBA", (-(-width // by), -(-height // by)))
    for top in range(0, height, STRIP * by):
        strip = opened.crop((0, top, width, min(top + STRIP * by, height))).convert("RGBA")
        image.paste(strip.reduce(by) if by > 1 else strip, (0, top // by))
    return image


# --- the process -------------------------------------------------------------------------------------------------------
BROKEN = {"type": "type", "workbook": "damaged", "picture": "no_image"}
KINDS = {"type": type_of, "workbook": workbook, "picture": picture}


def _seconds(kind: str, size: int) -> int:
    more = SECONDS_FOR_A_MEGABYTE * size // 1024**2 if kind == "workbook" else 0
    return min(SECONDS[kind] + more, MOST_SECONDS)


def main(kind: str, options: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY[kind], MEMORY[kind]))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY[kind] + SHARED, MEMORY[kind] + SHARED))
    content = sys.stdin.buffer.read()
    seconds = _seconds(kind, len(content))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    sys.stdout.buffer.write(answer(kind, content, options))


def answer(kind: str, content: bytes, options: str) -> bytes:
    try:
        told, made = KINDS[kind](content, **json.loads(options))
    except Refused as refusal:
        told, made = {"refused": str(refusal), **refusal.details}, b""
    except (MemoryError, RecursionError):
        told, made = {"refused": "too_much"}, b""
    except Exception:  # what the libraries raise at a broken file can't all be named
        told, made = {"refused": BROKEN[kind]}, b""
    return json.dumps(told).encode() + b"\n" + made


if __name__ == "__main__":
    main(*sys.argv[1:])
