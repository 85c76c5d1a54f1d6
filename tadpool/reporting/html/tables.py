"""A table of a page: a list of columns, each its heading together with what stands under it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any


@dataclass(frozen=True)
class Cell:
    """What stands in one row under one heading.

    Attributes:
        text: As it is shown.
        severity: "warn" or "fail" marks a number that gave a verdict; "" marks nothing.
        badge: A verdict whose badge is shown with `text` as its words; "" shows the text alone.
        rest: Whether it takes the place of all columns that follow.
    """

    text: str
    severity: str = ""
    badge: str = ""
    rest: bool = False


@dataclass(frozen=True)
class Column:
    """A heading and what stands under it.

    Attributes:
        heading: Text above the column. The heading of a number leads to its definition in
            `report/glossary.yaml`, where every statistic has one.
        cell: From a row of the table to what it shows here.
        number: Whether the column is of numbers, and not of words.
        own: Whether a study chose the heading, which then is no term of the glossary.
    """

    heading: str
    cell: Callable[[Any], str | Cell]
    number: bool = True
    own: bool = False


@dataclass(frozen=True)
class Table:
    """Columns over rows, which may be anything that the columns' cells are made from.

    Attributes:
        columns: The first one names the rows.
        rows: In the order of the page.
        failed: Whether a row is of something that failed, whose numbers are not to be used.
    """

    columns: Sequence[Column]
    rows: Sequence[Any]
    failed: Callable[[Any], bool] = lambda row: False

    def cells(self, row: Any) -> Iterator[Cell]:
        """The cells of one row, fewer than columns where one takes the place of the rest."""
        for column in self.columns:
            made = column.cell(row)
            cell = made if isinstance(made, Cell) else Cell(made)
            yield cell
            if cell.rest:
                return


def of_texts(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> Table:
    """A table of texts whose headings are known only from the results.

    Args:
        headings: One for each text of a row.
        rows: Texts.
        words: How many columns, from the first on, hold words; the others hold numbers.

    Returns:
        The table.
    """
    columns = [Column(heading, itemgetter(at), number=at >= words, own=True) for at, heading in enumerate(headings)]
    return Table(columns, rows)
