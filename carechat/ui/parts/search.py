"""The field in which one looks for something by its words."""

import reflex as rx

from carechat.ui import beside


class SearchField(rx.Component):
    """A field named `label`; the server looks for what was `sought` last."""

    library = beside.script(__name__, "search.jsx").importable_path
    tag = "SearchField"

    label: rx.Var[str]
    sought: rx.Var[str]

    on_search: rx.EventHandler[rx.event.passthrough_event_spec(str)]


field = SearchField.create
