"""What a person reads and writes in one conversation, kept current while its page is open."""

import reflex as rx

from carechat.domain import errors
from carechat.domain.events import (
    ConversationChanged,
    Event,
    MessageSent,
    ReceiptMoved,
)
from carechat.domain.messages import Message, clean_client_id
from carechat.services import messages, proof, receipts
from carechat.services.access import Address
from carechat.services.context import Context
from carechat.services.messages import Outgoing, Sent
from carechat.ui import incoming, routes, rows, session
from carechat.ui.parts.phases import Phase
from carechat.ui.turns import turn

WINDOW = 50
"""Messages on opening, and with each step back."""

MAX_TOLD = 20
"""Outcomes that the page is told of again; it notes each at once."""

ANOTHER_ACCOUNT = "You are signed in as somebody else now."

_LATER = (errors.UnavailableError, errors.RateLimitedError, errors.UnauthenticatedError)
"""What leaves a message in the browser's outbox, from where it is sent again: by its writer."""


class Chat(rx.State):
    """One conversation: `history` was read, `newest` came last; the page merges the two.

    `delivered_seq` and `read_seq` tell how far the partner has got; `stored_elsewhere` names
    messages of other conversations, written before, that the outbox got through meanwhile.

    What may have to wait for the database is done in the background, without holding the state,
    so that the page can show meanwhile what happens.
    """

    phase: str = Phase.LOADING.value
    account: str = ""
    conversation: str = ""
    partner: rows.PartnerRow = rows.PartnerRow()
    history: list[rows.MessageRow] = []
    newest: list[rows.MessageRow] = []
    older: bool = False
    delivered_seq: int = 0
    read_seq: int = 0
    stored_elsewhere: list[str] = []
    refused: list[dict[str, str]] = []
    writable: bool = True
    proof: rows.ProofRow = rows.ProofRow()
    times: rows.TimesRow = rows.TimesRow()

    @rx.event
    async def load(self):
        """Show the conversation anew."""
        await self._load(session.caller())

    @rx.event(background=True)
    async def send(self, account: str, conversation: str, client_id: str, text: str):
        """Send a message of the outbox; it waits there until it is among the newest, or refused."""
        ctx, refusal = session.caller(), ""
        client_id = clean_client_id(incoming.text(client_id))
        try:
            sent = await _send(ctx, account, conversation, client_id, text)
        except _LATER:
            return
        except errors.CareChatError as error:
            sent, refusal = None, error.detail
        async with self:
            if not await session.owns(ctx, self):
                return
            if sent:
                self._acknowledge(sent)
            else:
                refused = {"client_id": client_id, "detail": refusal}
                self.refused = [*self.refused, refused][-MAX_TOLD:]

    @rx.event(background=True)
    async def read(self, conversation: str, seq: int):
        """Note that everything up to `seq` was on the screen of somebody who looked."""
        address = Address(conversation_id=incoming.text(conversation))
        await receipts.read(session.caller(), address, incoming.number(seq))

    @rx.event(background=True)
    async def show_older(self, conversation: str, before: int):
        """Show the messages before that number as well."""
        ctx, address = session.caller(), Address(conversation_id=incoming.text(conversation))
        async with turn(ctx):
            page = await messages.history(ctx, address, WINDOW, before=incoming.number(before))
            async with self:
                if await self._shows(ctx, page):
                    self.history, self.older = self._rows(page.messages), page.more

    @rx.event(background=True)
    async def fill_gap(self, conversation: str, after: int):
        """Show the messages after that number, of which the page has missed some."""
        ctx, address = session.caller(), Address(conversation_id=incoming.text(conversation))
        after, most = incoming.number(after), messages.MAX_PAGE
        async with turn(ctx):
            page = await messages.history(ctx, address, most, after=after)
            async with self:
                if await self._shows(ctx, page):
                    self.newest = self._rows(page.messages)

    @rx.event(background=True)
    async def prove(self, conversation: str, seen: int):
        """Show what is stored of the conversation; `seen` is the highest number on the page."""
        ctx, address = session.caller(), Address(conversation_id=incoming.text(conversation))
        async with turn(ctx):
            found = await proof.of(ctx, address, incoming.number(seen))
        async with self:
            if found.conversation.id == self.conversation and await session.owns(ctx, self):
                self.proof = rows.proved(found)

    @rx.event(background=True)
    async def ask_times(self, conversation: str, seq: int):
        """Show when the own message with that number was delivered and read."""
        ctx, conversation = session.caller(), incoming.text(conversation)
        seq = incoming.number(seq)
        found = await proof.times(ctx, Address(conversation_id=conversation), seq)
        async with self:
            if conversation == self.conversation and await session.owns(ctx, self):
                self.times = rows.times(seq, found)

    def _clear(self) -> None:
        """Show no conversation if the page's address names another partner than before."""
        if routes.partner(self.router.url) != self.partner.email:
            self.phase, self.conversation = Phase.LOADING.value, ""
            self.partner = rows.PartnerRow()
            self.history, self.newest, self.refused = [], [], []
            self.proof, self.times = rows.ProofRow(), rows.TimesRow()

    async def _load(self, ctx: Context) -> None:
        """Show the conversation with the partner whom the page's address names."""
        try:
            address = Address(partner_email=routes.partner(self.router.url))
            page = await messages.history(ctx, address, WINDOW)
        except errors.NotFoundError:
            self.phase = Phase.GONE.value
        except errors.UnavailableError:
            self.phase = Phase.FAILED.value
        else:
            self._show(ctx, page)

    def _apply(self, event: Event) -> None:
        """Show what has happened in the conversation, which is loaded already."""
        match event:
            case MessageSent(message) if message.conversation_id == self.conversation:
                self._add(message)
            case ReceiptMoved(receipt) if receipt.conversation_id == self.conversation:
                if receipt.email == self.partner.email:
                    self._move(receipt.delivered_seq, receipt.read_seq)
            case ConversationChanged(conversation) if conversation.id == self.conversation:
                self.writable = conversation.writable
            case _:
                pass

    def _show(self, ctx: Context, page: messages.Page) -> None:
        partner = page.conversation.partner(ctx.user.email)
        self.account, self.conversation = ctx.user.email, page.conversation.id
        self.partner, self.writable = rows.partner(partner), page.conversation.writable
        self.delivered_seq, self.read_seq = partner.delivered_seq, partner.read_seq
        self.history, self.newest = self._rows(page.messages), []
        self.older = page.more
        self.phase = Phase.READY.value

    def _acknowledge(self, sent: Sent) -> None:
        if sent.message.conversation_id == self.conversation:
            # Whose page sends it again has not heard of it.
            self._add(sent.message, again=not sent.created)
        else:
            told = [*self.stored_elsewhere, sent.message.client_id]
            self.stored_elsewhere = told[-MAX_TOLD:]

    def _add(self, message: Message, *, again: bool = False) -> None:
        """Show it, unless that was done just now: its writer's page hears of it in two ways."""
        shown = self._rows([message])
        if again or self.newest != shown:
            self.newest = shown

    def _move(self, delivered_seq: int, read_seq: int) -> None:
        if delivered_seq > self.delivered_seq:
            self.delivered_seq = delivered_seq
        if read_seq > self.read_seq:
            self.read_seq = read_seq

    def _rows(self, found: list[Message]) -> list[rows.MessageRow]:
        return [rows.message(one, self.account) for one in found]

    async def _shows(self, ctx: Context, page: messages.Page) -> bool:
        """Whether the conversation that was asked for is still the one on the page."""
        return page.conversation.id == self.conversation and await session.owns(ctx, self)


async def _send(ctx: Context, account: str, conversation: str, client_id: str, text: str) -> Sent:
    if account != ctx.user.email:
        raise errors.UnauthenticatedError(ANOTHER_ACCOUNT)
    outgoing = Outgoing(incoming.text(text), client_id)
    address = Address(conversation_id=incoming.text(conversation))
    return await messages.send(ctx, address, outgoing)
