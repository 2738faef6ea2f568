"""What stands where something is loading, is missing or could not be had."""

from enum import StrEnum
from typing import Any

import reflex as rx


class Phase(StrEnum):
    """How far a page has got with what it shows."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    GONE = "gone"


def phased(
    phase: rx.Var[str] | str, ready: rx.Component, loading: rx.Component, retry: Any
) -> rx.Component | rx.Var[Any]:
    """Return what fits the phase: the content, its skeleton, or what went wrong."""
    return rx.match(
        phase,
        (Phase.READY.value, ready),
        (Phase.FAILED.value, failed(retry)),
        loading,
    )


def skeleton(look: str, count: int) -> rx.Component:
    """Return grey shapes for what is loading; they appear after 300 ms, a reason after 5 s."""
    return rx.el.div(
        rx.el.p("Loading", class_name="visually-hidden"),
        rx.el.div(
            *[rx.el.div(class_name=f"bone {look}") for _ in range(count)], class_name="bones"
        ),
        rx.el.p(
            "This takes longer than usual. We keep trying to reach the clinic.", class_name="slow"
        ),
        class_name="skeleton",
        aria_busy="true",
    )


def failed(retry: Any) -> rx.Component:
    """Return what is said when something could not be loaded; `retry` is the event to try again."""
    return rx.el.div(
        empty(
            "We could not load this just now",
            "Nothing is lost. Please try again in a moment.",
            rx.el.button("Try again", type="button", class_name="button primary", on_click=retry),
        ),
        role="alert",
    )


def empty(heading: str, text: str, *action: rx.Component) -> rx.Component:
    """Return a quiet place that says why nothing is here, and what to do about it."""
    return rx.el.div(rx.el.h2(heading), rx.el.p(text), *action, class_name="empty")
