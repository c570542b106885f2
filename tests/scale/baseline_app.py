"""The app that ours is compared with: one empty five-column DataTable and a Footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import DataTable, Footer

if TYPE_CHECKING:
    from textual.app import ComposeResult


class BaselineApp(App[None]):
    BINDINGS = [("q", "quit", "Quit")]  # noqa: RUF012 - as the Textual documentation writes it

    def compose(self) -> ComposeResult:
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns("Event", "Category", "User", "Date", "Description")


if __name__ == "__main__":
    BaselineApp().run()
