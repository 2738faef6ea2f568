"""The other processes of the clinic: they are told what happens here, and screens here the rest."""

from carechat.domain.events import Event
from carechat.realtime.relay import Relay
from carechat.realtime.wire import Came, Happened, Item, Present, Tried
from carechat.services import feed
from carechat.services.catch_up import CatchUp, Known
from carechat.services.context import Backend


def start(backend: Backend, relay: Relay) -> None:
    """Let this process and the others know of each other until the backend is closed."""
    known = Known()
    catch_up = CatchUp(backend, relay, known)
    _tell(backend, relay, known)
    # Not a group of tasks: that cancels each only once, of which the driver may take no notice.
    backend.spawn(relay.run(_Ears(backend, known)))
    backend.keep("peers", catch_up.look)
    backend.keep("peers", catch_up.read)


def _tell(backend: Backend, relay: Relay, known: Known) -> None:
    """Let the others be told of what happens here."""

    def happened(event: Event, emails: tuple[str, ...]) -> None:
        known.note(event)
        relay.happened(event, emails)

    def came(email: str, present: bool) -> None:
        relay.tell(Came(email, present))

    def tried(email: str, network: str, right: bool) -> None:
        relay.tell(Tried(email, network, right))

    backend.hub.relay = happened
    backend.presence.announce, backend.logins.announce = came, tried


class _Ears:
    """What others tell is shown, and counted, as if it had happened here."""

    def __init__(self, backend: Backend, known: Known) -> None:
        self._backend = backend
        self._known = known

    def is_wanted(self, email: str) -> bool:
        """Whether a screen of this process is that person's."""
        return self._backend.hub.listens(email)

    def greeting(self) -> list[Item]:
        """Who is here."""
        return [Present(self._backend.presence.here)]

    def hear(self, origin: str, item: Item) -> None:
        """Tell the screens here, or count it."""
        match item:
            case Happened(event, emails):
                self._known.note(event)
                self._backend.hub.deliver(event, emails)
            case Came(email, present):
                if self._backend.presence.came_elsewhere(origin, email, present):
                    self._tell_presence({email: present})
            case Present(emails):
                self._tell_presence(self._backend.presence.are_elsewhere(origin, emails))
            case Tried(email, network, right):
                self._count(email, network, right)
            case _:
                pass

    def miss(self, origin: str) -> None:
        """Take those who were there for gone, after the grace."""
        self._backend.presence.miss(origin, self._tell_presence)

    def _tell_presence(self, changed: dict[str, bool]) -> None:
        if changed:
            self._backend.spawn(feed.tell_presence(self._backend, changed))

    def _count(self, email: str, network: str, right: bool) -> None:
        if right:
            self._backend.logins.forgive(email, network)
        else:
            self._backend.logins.note(email, network, self._backend.seconds())
