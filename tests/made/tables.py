"""A page's table as texts."""


def texts(table):
    """Each row of a table as the texts of its cells."""
    return [[cell.text for cell in table.cells(row)] for row in table.rows]
