"""Where the pages are, and where their forms go."""

from urllib.parse import quote

from reflex.config import get_config
from reflex.istate.data import ReflexURL
from reflex.utils.exec import is_prod_mode

LOGIN = "/login"
DASHBOARD = "/dashboard"
CHAT = "/chat"
ACCOUNT = "/account"
JOIN = "/join"

SIGN_IN = "/auth/session"
SIGN_OUT = "/auth/session/end"
ACCEPT = "/auth/join"


def chat(email: str) -> str:
    """Return the address of the conversation with that partner."""
    return f"{CHAT}?email={quote(email, safe='@')}"


def here(url: ReflexURL) -> str:
    """Return the address without the server's, as `login` takes it to come back to."""
    return f"{url.path}?{url.query}" if url.query else url.path


def is_at(url: ReflexURL, route: str) -> bool:
    """Whether that is the address of the page at `route`."""
    return url.path.rstrip("/") == route


def partner(url: ReflexURL) -> str:
    """Return whose conversation the address of a chat page names, "" if nobody's."""
    return url.query_parameters.get("email", "").strip().lower()


def login(error: str = "", next_path: str = "") -> str:
    """Return the address of the sign-in page, with a reason to show and where to come back to."""
    query = [f"error={quote(error)}"] if error else []
    if next_path:
        query.append(f"next={quote(next_path, safe='')}")
    return LOGIN + ("?" + "&".join(query) if query else "")


def form_action(path: str) -> str:
    """Return where a native form posts to: `reflex run` serves the pages from another port."""
    return path if is_prod_mode() else f"{get_config().api_url}{path}"
