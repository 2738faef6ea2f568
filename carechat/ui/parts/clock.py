"""Times in the reader's own zone, which only the browser knows."""

import reflex as rx

from carechat.ui import beside

_LIBRARY = beside.script(__name__, "clock.jsx").importable_path


class Time(rx.Component):
    """A moment in words that keep themselves current.

    `kind` is `card` (12 min, 14:05, Yesterday, Tue, 3 Mar), `waiting` (1 h 20 min) or `ending`
    (a day and time).
    """

    library = _LIBRARY
    tag = "Time"

    at: rx.Var[int]
    kind: rx.Var[str]


class Greeting(rx.Component):
    """Good morning, afternoon or evening, and the name."""

    library = _LIBRARY
    tag = "Greeting"

    name: rx.Var[str]


time = Time.create
greeting = Greeting.create
