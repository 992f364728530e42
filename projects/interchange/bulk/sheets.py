"""The tables themselves: templates to fill in (CSV, or XLSX with lists to pick from), and what comes back, record by record."""

import csv
import io
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter

from ground.incoming import MOST_COLUMNS, MOST_ROWS, Area, Sheet, merged_sentence, text_of
from ground.numbers import Written
from ground.signs import NUL, hidden_in, with_plain_line_ends, without_empty_ends, without_hidden
from ground.tables import TooMany, harmless
from projects.interchange.bulk.cells import NAMED, Cell
from projects.interchange.bulk.resources import TableResource
from projects.interchange.workbooks import BOLD, FILL, LISTS, head, opened, pick, put

LARGEST = 10 * 1024**2  # bytes
MOST_RECORDS = 5000  # in one file
MOST_IN_A_CELL = 131_072  # characters
MOST_MERGED = 10  # merged cells that are told of one record
SPARE = 500  # rows with lists to pick from below those that are filled in
WIDTH = 22


# --- going out ---------------------------------------------------------------------------------------------------------
def rows_of(resource: TableResource, record) -> list[list[str]]:
    """A record as rows of the table: the first with everything, one more for each further line."""
    cells = resource.cells(record)
    lines = cells.pop(resource.line_column, None) or [{}]
    key = next(name for name in resource.known_by if cells.get(name))
    rows = [{**cells, **lines[0]}, *({key: cells[key], **line} for line in lines[1:])]
    return [[row.get(name, "") for name in resource.columns()] for row in rows]


def filled(resource: TableResource, records) -> list[list[str]]:
    """The rows of these records. Raises TooMany where there are more than may come back in one file: none is left out unsaid."""
    found = list(records.order_by("pk")[: MOST_RECORDS + 1])
    if len(found) > MOST_RECORDS:
        said = {"all": records.count(), "n": MOST_RECORDS}
        raise TooMany(
            _("These are %(all)s records, and one file holds at most %(n)s. Choose fewer in the list of the records, by its filters, and take them from there.")
            % said
        )  # fmt: skip
    return [row for record in found for row in rows_of(resource, record)]


def as_csv(resource: TableResource, rows: list[list[str]]) -> bytes:
    """CSV in UTF-8, marked as such for spreadsheets."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(resource.columns())
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(resource: TableResource, rows: list[list[str]], holds: str = "") -> bytes:
    """XLSX: the table, lists to pick from, a sheet that explains each column, a sheet of codes. `holds`: which records are in it.
    Raises TooLong."""
    book = Workbook()
    sheet, about, codes, lists = book.active, *(book.create_sheet(name) for name in ("About", "Codes", LISTS))
    sheet.title, lists.sheet_state = "Data", "hidden"
    columns = resource.columns()
    head(sheet, [(name, WIDTH) for name in columns])
    head(about, [(_("Column"), WIDTH), (_("What it is for"), 90), (_("How to write it"), 60)])
    head(codes, [(_("Column"), WIDTH), (_("Code"), WIDTH), (_("Name"), 70)])
    lines = resource.line_names()
    for number, (name, cell) in enumerate(columns.items(), start=1):
        letter, what, choices = get_column_letter(number), resource.about(name), cell.choices()
        sheet[f"{letter}1"].comment = Comment(f"{what}\n{_how(cell, choices)}".strip(), "", height=120, width=320)
        sheet.column_dimensions[letter].number_format = "@"  # texts: codes such as 004 stay as they are
        about.append([name, what, _how(cell, choices, name in resource.required, name in lines)])
        about.cell(about.max_row, 1).font = BOLD
        if choices:
            labels = [f"{code}{NAMED}{label.replace(';', ',')}" for code, label in choices]
            pick(sheet, lists, f"{letter}2:{letter}{len(rows) + 1 + SPARE}", labels, number, only=not cell.several)
            for code, label in choices:
                codes.append([name, code, label])
    said = [_("Which records are in this table: %(which)s") % {"which": holds}] if holds else []
    for text in [*said, *_rules(resource)]:
        about.append([])
        about.cell(about.max_row + 1, 2, text).fill = FILL
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            cell.number_format = "@"
            if value != "":
                put(cell, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _how(cell: Cell, choices, is_required: bool = False, is_line: bool = False) -> str:
    parts = [
        _("Needed for a new record.") if is_required else "",
        _("One line a row.") if is_line else "",
        _("Several, separated by semicolons, or one a row.") if cell.several else "",
        _("Pick from the list, or write the code.") if choices and not cell.several else "",
        _("As %(example)s.") % {"example": cell.how} if cell.how else "",
    ]
    return " ".join(filter(None, parts))


def _rules(resource: TableResource) -> list[str]:
    return [
        _("One row is one record. Further rows of the same record repeat %(columns)s, or leave it and %(name)s empty.")
        % {"columns": " / ".join(resource.known_by), "name": resource.named_by},
        _("A column that you delete from the table stays as it is in the portal. An empty cell empties what is there."),
        _("Nothing is written before you have seen what would change."),
    ]


# --- coming back -------------------------------------------------------------------------------------------------------
OWN_SHEETS = {"About", "Codes", LISTS}  # of the template; nothing is read from them


@dataclass
class Given:
    """What a table says of one record: the row it begins in, and the cells, with the lines of all its rows.

    `wrong`: what of its rows has no place in the record, as (column, sentence); with any of it the record isn't written.
    """

    row: int
    cells: dict = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)  # further rows, which repeat its key
    unnamed: list[int] = field(default_factory=list)  # further rows, which have neither key nor name
    more: dict[str, list[str]] = field(default_factory=dict)  # entries of further rows, by column, until all are read
    taken_out: list[str] = field(default_factory=list)  # signs that nobody sees, with row and column
    commented: list[str] = field(default_factory=list)  # cells of the file with comments: told with its first record

    @property
    def rows(self) -> list[int]:
        return [self.row, *self.again, *self.unnamed]

    def joined(self) -> list[str]:
        """Which further rows became part of the record, and why."""
        sentences = (
            (self.again, _("Rows that repeat its key and are part of this record: %(rows)s.")),
            (self.unnamed, _("Rows without a key and a name of their own, joined to the row above: %(rows)s.")),
        )
        return [sentence % {"rows": _ranges(rows)} for rows, sentence in sentences if rows]


def read(file: File, name: str, resource: TableResource) -> list[Given]:
    """The records of an uploaded table. Raises ValidationError with what to mend in the file."""
    sheet = _from_workbook(file) if name.lower().endswith(".xlsx") or _is_archive(file) else None
    rows = _rows_of(sheet) if sheet else _from_csv(file)
    titles = _titles(next(rows, (1, []))[1], resource)
    below = list(rows)
    resource.use_decimal_mark(_texts(below, titles))
    found = _gathered(below, titles, resource)
    if not found:
        raise ValidationError(_("The table has no rows below its first one."))
    if sheet:
        _tell_merged(sheet.filled_areas(), titles, found, resource)
        found[0].commented = sheet.commented
    return found


def _is_archive(file: File) -> bool:
    """Whether it is a workbook by what it says, whatever it is called."""
    start = file.read(4)
    file.seek(0)
    return start == b"PK\x03\x04"


def _titles(row: list, resource: TableResource) -> list[str]:
    """The columns that the first row names."""
    titles = [text_of(title).lower() for title in row]
    while titles and not titles[-1]:
        titles.pop()
    columns = resource.columns()
    if not set(titles) & set(columns):
        raise ValidationError(
            _("The first row names none of the columns of this table. Take the template; its first row stays as it is.")
        )
    if wrong := [title for title in titles if title not in columns]:
        raise ValidationError(
            _("There is no column “%(name)s”. The columns are: %(known)s.")
            % {"name": wrong[0][:40], "known": ", ".join(columns)}
        )
    if twice := [title for place, title in enumerate(titles) if title in titles[:place]]:
        raise ValidationError(_("The column “%(name)s” is there twice.") % {"name": twice[0]})
    lines = resource.line_names()
    if (some := set(titles) & set(lines)) and (missing := [one for one in lines if one not in some]):
        raise ValidationError(_("The columns of lines go together: %(names)s.") % {"names": ", ".join(missing)})
    if not set(titles) & {*resource.known_by, resource.named_by}:
        raise ValidationError(
            _("No column says which record a row is about: %(names)s.")
            % {"names": ", ".join((*resource.known_by, resource.named_by))}
        )
    return titles


def _texts(rows: list[tuple[int, list]], titles: list[str]) -> list[tuple[str, str]]:
    """What somebody typed, as (column, text); not the numbers that a workbook keeps as such."""
    pairs = (pair for _number, row in rows for pair in zip(titles, row, strict=False))
    return [(title, cell) for title, cell in pairs if isinstance(cell, str) and cell.strip()]


def _gathered(rows: list[tuple[int, list]], titles: list[str], resource: TableResource) -> list[Given]:
    """Rows as records: one that repeats the key of the row above, or has no key and no name, goes on with it."""
    found: list[Given] = []
    lines = resource.line_names()
    for number, row in rows:
        as_given = [text_of(cell) for cell in row]
        texts = [_seen(text) for text in as_given]
        if any(texts[len(titles) :]):
            raise ValidationError(_("Row %(n)s has more cells than there are columns.") % {"n": number})
        cells = dict(zip(titles, [*texts, *[""] * len(titles)], strict=False))
        if not any(cells.values()):
            continue
        own = {name: text for name, text in cells.items() if name not in lines}
        line = {name: text for name, text in cells.items() if name in lines}
        signs = [(title, sign) for title, text in zip(titles, as_given, strict=False) for sign in hidden_in(text)]
        if found and _goes_on(found[-1].cells, own, resource):
            (found[-1].again if _key_of(own, resource) else found[-1].unnamed).append(number)
            _add(found[-1], number, own, resource)
        else:
            found.append(Given(number, own))
            if len(found) > MOST_RECORDS:
                raise ValidationError(_("At most %(n)s records in one file. Divide it.") % {"n": MOST_RECORDS})
            if line:
                own[resource.line_column] = []
        found[-1].taken_out += [f"{number} {title}: {sign}" for title, sign in signs]
        if any(line.values()):
            found[-1].cells[resource.line_column].append((number, line))
    for one in found:
        one.cells |= {name: "; ".join(filter(None, (one.cells[name], *texts))) for name, texts in one.more.items()}
    return found


def _ranges(numbers: list[int]) -> str:
    """Numbers that ascend, as 3–5, 9."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join("–".join(map(str, ends)) for ends in found)


def _seen(text: str) -> str:
    """A text without what nobody sees; a number that a workbook keeps as one stays that number (`to_be_read`)."""
    if not text or isinstance(text, Written):
        return text
    return with_plain_line_ends(without_empty_ends(without_hidden(text.replace(NUL, "")))).strip()


def _goes_on(above: dict, own: dict, resource: TableResource) -> bool:
    if name := _key_of(own, resource):
        return above.get(name) == own[name]
    return not own.get(resource.named_by)


def _key_of(own: dict, resource: TableResource) -> str | None:
    """The column by which a row says which record it is about."""
    return next((name for name in resource.known_by if own.get(name)), None)


def _add(above: Given, number: int, own: dict, resource: TableResource) -> None:
    """The cells of a further row of a record: more entries where there may be several, else what stands there already."""
    columns = resource.columns()
    for name, text in own.items():
        if not text or text == above.cells[name]:
            continue
        if columns[name].several:
            above.more.setdefault(name, []).append(text)
        else:
            sentence = _(
                "Row %(n)s goes on with the record of row %(first)s, which has one “%(column)s” only, so “%(text)s” has no place. "
                "Give the row a key or a name of its own, or move the text up."
            )
            said = {"n": number, "first": above.row, "column": name, "text": text[:60]}
            above.wrong.append((name, sentence % said))


def _tell_merged(areas: list[Area], titles: list[str], found: list[Given], resource: TableResource) -> None:
    """What a merged cell says stands in its first cell only: told to each other record, line and column that it covers."""
    record_of, lines = {number: one for one in found for number in one.rows}, resource.line_names()
    rows, told = sorted(record_of), Counter()
    for area in areas:
        names, first, here = titles[area.left - 1 : area.right], record_of.get(area.top), set()
        if first is None:
            continue
        for number in rows[bisect_left(rows, area.top) : bisect_right(rows, area.bottom)]:
            one = record_of[number]
            if id(one) in here or told[id(one)] >= MOST_MERGED:
                continue
            without = [
                name for place, name in enumerate(names)
                if (number, place) != (area.top, 0) and (place or one is not first or name in lines)
            ]  # fmt: skip
            if without:
                one.wrong.append((without[0], merged_sentence(area)))
                here.add(id(one))
                told[id(one)] += 1


def _from_workbook(file: File) -> Sheet | None:
    """The sheet of a workbook that is read."""
    book = opened(file, LARGEST)
    read_from = "Data" if "Data" in book else next(iter(book), "")
    if more := [name for name, sheet in book.items() if sheet.rows and name not in {read_from, *OWN_SHEETS}]:
        raise ValidationError(
            _("Only the sheet “%(name)s” is read, and there is something on “%(other)s” too. Bring each sheet in by itself, or delete what is not meant.")
            % {"name": read_from, "other": more[0]}
        )  # fmt: skip
    return book.get(read_from)


def _rows_of(sheet: Sheet):
    """The number and the cells of each row that holds something; the first row always."""
    yield 1, sheet.rows.get(1, [])
    for number, row in sheet.rows.items():
        if _longest(row) > MOST_IN_A_CELL:
            raise ValidationError(
                _("Row %(n)s has a cell with more than %(most)s characters. Shorten it.")
                % {"n": number, "most": MOST_IN_A_CELL}
            )
        if number > 1:
            yield number, row


def _from_csv(file: File):
    """The same of a text. Rows are counted as a spreadsheet shows them, where a cell may hold several lines."""
    if file.size > LARGEST:
        raise ValidationError(_("This file is larger than %(n)s MB.") % {"n": LARGEST // 1024**2})
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(
            _("This is neither a workbook (XLSX) nor a text in UTF-8. Save it as “CSV UTF-8”, or as XLSX.")
        ) from None
    csv.field_size_limit(LARGEST)  # of Python; what a cell may hold is told below
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)  # spreadsheets write what their country writes
    try:
        for number, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1
        ):
            if number == 1 or any(row):
                _check_size(number, row)
                yield number, row
    except csv.Error as error:
        raise ValidationError(
            _("The file breaks off or has a stray quotation mark: %(error)s.") % {"error": error}
        ) from None


def _longest(row: list) -> int:
    return max((len(cell) for cell in row if isinstance(cell, str)), default=0)


def _check_size(number: int, row: list[str]) -> None:
    """As large as a workbook may be."""
    if number > MOST_ROWS:
        raise ValidationError(_("The table has more than %(n)s rows. Divide it.") % {"n": MOST_ROWS})
    if len(row) > MOST_COLUMNS:
        raise ValidationError(_("Row %(n)s has more cells than there are columns.") % {"n": number})
    if _longest(row) > MOST_IN_A_CELL:
        raise ValidationError(
            _("Row %(n)s has a cell with more than %(most)s characters. Shorten it, or close the quotation mark that it begins with.")
            % {"n": number, "most": MOST_IN_A_CELL}
        )  # fmt: skip
