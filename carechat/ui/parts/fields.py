"""What a form is made of."""

from typing import Any

import reflex as rx

from carechat.ui import beside

_LIBRARY = beside.script(__name__, "field.jsx").importable_path


class PasswordField(rx.Component):
    """A password, its label and a button that shows it; `chosen` judges the length of a new one.

    `fault` is the id of the sentence that says what is wrong with it, "" if nothing is.
    """

    library = _LIBRARY
    tag = "PasswordField"

    label: rx.Var[str]
    name: rx.Var[str]
    auto_complete: rx.Var[str]
    hint: rx.Var[str]
    chosen: rx.Var[bool]
    fault: rx.Var[str]


class CopyField(rx.Component):
    """A text with its label and a button that copies it."""

    library = _LIBRARY
    tag = "CopyField"

    label: rx.Var[str]
    value: rx.Var[str]


copy = CopyField.create


def text(label: str, name: str, **props: Any) -> rx.Component:
    """Return a labelled input; `props` go to the input."""
    return rx.el.div(
        rx.el.label(label, html_for=f"field-{name}"),
        rx.el.input(id=f"field-{name}", name=name, required=True, **props),
        class_name="field",
    )


def password(label: str = "Password", name: str = "password", **props: Any) -> rx.Component:
    """Return the field for a password that exists already."""
    return PasswordField.create(label=label, name=name, auto_complete="current-password", **props)


def new_password(label: str, name: str, **props: Any) -> rx.Component:
    """Return the field for a password that is being chosen."""
    return PasswordField.create(
        label=label,
        name=name,
        auto_complete="new-password",
        chosen=True,
        hint="At least 8 characters. A short sentence is easy to remember and hard to guess.",
        **props,
    )


def hidden(name: str, value: rx.Var[str] | str) -> rx.Component:
    """Return a field that nobody sees."""
    return rx.el.input(type="hidden", name=name, value=value, read_only=True)


def button(label: str | rx.Var[str], look: str = "primary", **props: Any) -> rx.Component:
    """Return a button that sends its form; `look` is primary, quiet or go."""
    return rx.el.button(label, type="submit", class_name=f"button {look}", **props)
