"""The few signs that are drawn; each stands beside a word or inside something that has a name."""

import reflex as rx


def mark() -> rx.Component:
    """Return the sign of the product: a bubble with a cross."""
    return _icon(
        rx.el.svg.path(
            d="M5 3h14a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3h-6l-5 4v-4H5a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3z",
            fill="currentColor",
        ),
        rx.el.svg.path(d="M12 7v7M8.5 10.5h7", stroke="var(--surface)", stroke_width="2.2"),
        class_name="icon mark",
    )


def back() -> rx.Component:
    """Return an arrow head to the left."""
    return _icon(rx.el.svg.path(d="M15 5l-7 7 7 7", stroke="currentColor", stroke_width="2"))


def more() -> rx.Component:
    """Return an arrow head upwards: there is something to open."""
    return _icon(rx.el.svg.path(d="M7 14l5-5 5 5", stroke="currentColor", stroke_width="2"))


def search() -> rx.Component:
    """Return a magnifying glass."""
    return _icon(
        rx.el.svg.path(
            d="M16 16l4.5 4.5M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0z",
            stroke="currentColor",
            stroke_width="2",
        )
    )


def _icon(*shapes: rx.Component, class_name: str = "icon") -> rx.Component:
    return rx.el.svg(
        *shapes,
        view_box="0 0 24 24",
        fill="none",
        stroke_linecap="round",
        stroke_linejoin="round",
        class_name=class_name,
        aria_hidden="true",
    )
