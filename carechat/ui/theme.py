"""The look in numbers: every colour, size and time of the stylesheets, as custom properties."""

import reflex as rx

LIGHT = {
    "ground": "#f8fafc",
    "surface": "#ffffff",
    "sunken": "#f1f5f9",
    "line": "#e2e8f0",
    "edge": "#64748b",
    "text": "#0f172a",
    "muted": "#475569",
    "link": "#1d4ed8",
    "primary": "#2563eb",
    "primary-strong": "#1d4ed8",
    "own": "#2563eb",
    "own-text": "#ffffff",
    "own-meta": "#dbeafe",
    "go": "#15803d",
    "go-strong": "#166534",
    "go-soft": "#f0fdf4",
    "go-text": "#166534",
    "here": "#16a34a",
    "away": "#64748b",
    "waiting": "#b45309",
    "waiting-soft": "#fffbeb",
    "danger": "#b91c1c",
    "danger-soft": "#fef2f2",
    "avatar": "#dbeafe",
    "avatar-text": "#1e40af",
    "focus": "#2563eb",
    "shadow": "0 1px 2px rgb(15 23 42 / 6%), 0 4px 12px rgb(15 23 42 / 5%)",
}
"""Slate, blue, green, amber and red; text on each of the grounds has at least 4.5 : 1."""

DARK = LIGHT | {
    "ground": "#0b1220",
    "surface": "#172033",
    "sunken": "#0f172a",
    "line": "#2b374c",
    "edge": "#8391a7",
    "text": "#f1f5f9",
    "muted": "#b3bfd0",
    "link": "#93c5fd",
    "go-soft": "#0f2a20",
    "go-text": "#86efac",
    "here": "#22c55e",
    "away": "#94a3b8",
    "waiting": "#fbbf24",
    "waiting-soft": "#2a2312",
    "danger": "#fca5a5",
    "danger-soft": "#331a1f",
    "avatar": "#1e3a5f",
    "avatar-text": "#bfdbfe",
    "focus": "#93c5fd",
    "shadow": "0 1px 2px rgb(0 0 0 / 40%)",
}

SHARED = {
    "font": 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
    "size-meta": "0.8125rem",
    "size-bubble": "0.9375rem",
    "size-body": "1rem",
    "size-small-heading": "1.25rem",
    "size-heading": "1.5rem",
    "size-title": "1.875rem",
    "space-1": "4px",
    "space-2": "8px",
    "space-3": "12px",
    "space-4": "16px",
    "space-5": "24px",
    "space-6": "32px",
    "space-7": "48px",
    "radius-control": "8px",
    "radius-card": "12px",
    "radius-bubble": "16px",
    "radius-tail": "4px",
    "target": "44px",
    "bar": "56px",
    "person": "clamp(36px, 2.25rem, 44px)",
    "side": "280px",
    "quick": "150ms",
}
"""Type in rem, so that it follows the reader's own size; spaces, corners and targets in px."""

VIEWPORT = (
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
)
"""The last part keeps the composer above a phone's keyboard."""

STYLESHEETS = ["/carechat.css", "/chat.css"]
"""Below `assets/`, in this order."""


def css() -> str:
    """Return the custom properties for light, dark and reduced motion."""
    return (
        f":root{{color-scheme:light dark;{_properties(SHARED | LIGHT)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{_properties(DARK)}}}}}"
        "@media (prefers-reduced-motion:reduce){:root{--quick:0ms}}"
    )


def head() -> list[rx.Component]:
    """Return what every page has in its head: the properties, the icon, the viewport."""
    return [
        rx.el.meta(name="viewport", content=VIEWPORT),
        rx.el.meta(
            name="theme-color", content=LIGHT["surface"], media="(prefers-color-scheme: light)"
        ),
        rx.el.meta(
            name="theme-color", content=DARK["surface"], media="(prefers-color-scheme: dark)"
        ),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml", id="favicon"),
        rx.el.style(css()),
    ]


def _properties(tokens: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in tokens.items())
