"""Tables and trees: keyed rows that sort themselves, cells that are painted and never computed twice."""

from execution_engine.ui.tables.cell import EMPTY, Cell, Column, Key, Role
from execution_engine.ui.tables.delegates import CellDelegate, Chip, Number, Position, State, position_cell
from execution_engine.ui.tables.graphics import (
    ActionText,
    Progress,
    Rule,
    Spark,
    progress_cell,
    rule_cell,
    spark_points,
)
from execution_engine.ui.tables.header import Header
from execution_engine.ui.tables.model import TableModel
from execution_engine.ui.tables.rows import RowsModel
from execution_engine.ui.tables.tree import TreeModel
from execution_engine.ui.tables.views import RowsView, TableView, TreeView

__all__ = [
    "EMPTY",
    "ActionText",
    "Cell",
    "CellDelegate",
    "Chip",
    "Column",
    "Header",
    "Key",
    "Number",
    "Position",
    "Progress",
    "Role",
    "RowsModel",
    "RowsView",
    "Rule",
    "Spark",
    "State",
    "TableModel",
    "TableView",
    "TreeModel",
    "TreeView",
    "position_cell",
    "progress_cell",
    "rule_cell",
    "spark_points",
]
