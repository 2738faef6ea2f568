"""Links that stay in the page: the next one is shown without loading the document again."""

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink


def link(*children: object, to: str | rx.Var[str], **props: object) -> rx.Component:
    """Return a link to another page of this site."""
    return ReactRouterLink.create(*children, to=to, **props)
