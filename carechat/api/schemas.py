"""What goes in and out as JSON: the shapes of requests, answers and frames."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from carechat.domain import conversations, messages, users
from carechat.services.accounts import SignedIn
from carechat.services.messages import Outgoing


def rfc3339(time: datetime) -> str:
    """Return the time as RFC 3339 in UTC with milliseconds and Z."""
    time = time if time.tzinfo is UTC else time.astimezone(UTC)
    return f"{time.isoformat(timespec='milliseconds')[:-6]}Z"


Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]
Seq = Annotated[int, Field(ge=0, le=messages.MAX_SEQ, strict=True)]


class Incoming(BaseModel):
    """Anything that a client sends: types are taken as they are, unknown fields are passed over.

    Nothing is longer than the guard lets in; any limit makes Pydantic refuse half surrogate pairs.
    """

    model_config = ConfigDict(strict=True, extra="ignore", str_max_length=64 * 1024)


class Credentials(Incoming):
    """What somebody signs in with."""

    email: Annotated[str, Field(max_length=1_000)]
    password: Annotated[str, Field(max_length=1_000)]


class PasswordChange(Incoming):
    """The password so far and the new one."""

    current: Annotated[str, Field(max_length=1_000)]
    new: Annotated[str, Field(max_length=1_000)]


class NewInvitation(Incoming):
    """Whom a doctor invites."""

    email: Annotated[str, Field(max_length=1_000)]
    name: Annotated[str, Field(max_length=1_000)]


class Acceptance(Incoming):
    """The token of an invitation and the password that was chosen."""

    token: Annotated[str, Field(max_length=1_000)]
    password: Annotated[str, Field(max_length=1_000)]


class NewMessage(Incoming):
    """A message to send in a conversation that the path names."""

    message: str
    client_id: str | None = None
    reply_to: str | None = None
    attachment_ids: list[str] = []

    def outgoing(self) -> Outgoing:
        """Return what its sender wants to be sent, as services take it."""
        return Outgoing(
            message=self.message,
            client_id=self.client_id,
            reply_to=self.reply_to,
            attachment_ids=tuple(self.attachment_ids),
        )


class Problem(BaseModel):
    """Why a request was refused (RFC 9457); `code` is stable.

    `request_id` stands in the answer's `X-Request-ID` and in the log, too.
    """

    status: int
    title: str
    detail: str
    code: str
    request_id: str


class User(BaseModel):
    """A person, as others may see them."""

    email: str
    name: str
    role: users.Role

    @classmethod
    def of(cls, person: users.User | conversations.Member) -> "User":
        """Return the person as others see them."""
        return cls.model_validate(person, from_attributes=True)


class Token(BaseModel):
    """A bearer token and for how many seconds it is good at most."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 RFC 6750 names it so
    expires_in: int
    user: User

    @classmethod
    def of(cls, signed_in: SignedIn) -> "Token":
        """Return what the client of a fresh session needs."""
        user = User.of(signed_in.user)
        return cls(access_token=signed_in.token, expires_in=signed_in.expires_in, user=user)


class Invited(BaseModel):
    """A one-time link to hand to the patient."""

    url: str
    expires_at: Timestamp


class Assigned(BaseModel):
    """The patient had an account already and now belongs to the doctor."""

    assigned: Literal[True] = True


class Updated(BaseModel):
    """How many messages were unread until now."""

    updated: int


class Message(BaseModel):
    """A message as its readers see it."""

    id: str
    conversation_id: str
    seq: int
    client_id: str
    sender_email: str
    receiver_email: str | None
    message: str
    timestamp: Timestamp
    delivered: bool
    read: bool
    edited_at: None = None
    deleted_at: None = None
    reply_to: str | None = None
    attachments: list[None] = []
    reactions: list[None] = []

    @classmethod
    def of(cls, message: messages.Message) -> "Message":
        """Return the message as it is shown."""
        return cls.model_validate(message, from_attributes=True)


class Conversation(BaseModel):
    """A conversation as one of its members finds it in a list."""

    id: str
    kind: conversations.Kind
    title: str | None
    members: list[User]
    partner_email: str | None
    last_message: Message | None
    last_seq: int
    unread: int
    muted: bool = False

    @classmethod
    def of(cls, summary: conversations.Summary, email: str) -> "Conversation":
        """Return the conversation as the member with that address sees it."""
        conversation = summary.conversation
        last = summary.last_message
        return cls(
            id=conversation.id,
            kind=conversation.kind,
            title=conversation.title,
            members=[User.of(one) for one in conversation.members],
            partner_email=conversation.partner(email).email,
            last_message=Message.of(last) if last else None,
            last_seq=summary.last_seq,
            unread=summary.unread.count if summary.unread else 0,
        )


class SendFrame(NewMessage):
    """A message to send over a socket."""

    type: Literal["send"] = "send"
    receiver_email: str | None = None
    conversation_id: str | None = None


class ReadFrame(Incoming):
    """Everything up to `seq` was read."""

    type: Literal["read"]
    receiver_email: str | None = None
    conversation_id: str | None = None
    seq: Seq


class SyncFrame(Incoming):
    """What the client has: the newest number of each conversation."""

    type: Literal["sync"]
    after: Annotated[dict[str, Seq], Field(max_length=1_000)]


class PingFrame(Incoming):
    """Is anybody there?"""

    type: Literal["ping"]


class PongFrame(BaseModel):
    """Somebody is."""

    type: Literal["pong"] = "pong"


class SyncedFrame(BaseModel):
    """Everything that was asked for has been brought."""

    type: Literal["synced"] = "synced"


class AckFrame(BaseModel):
    """The message is stored for good; written by `frames.ack`, as a test holds."""

    type: Literal["ack"] = "ack"
    client_id: str
    id: str
    conversation_id: str
    seq: int
    timestamp: Timestamp


class MessageFrame(Message):
    """A message for this client; written by `frames.message`, as a test holds."""

    type: Literal["message"] = "message"


class ReceiptFrame(BaseModel):
    """How far a member has got; written by `frames.receipt`, as a test holds."""

    type: Literal["receipt"] = "receipt"
    conversation_id: str
    email: str
    delivered_seq: int
    read_seq: int


class ErrorFrame(BaseModel):
    """A frame was refused; unless the code is `unavailable`, nothing was stored."""

    type: Literal["error"] = "error"
    client_id: str | None
    code: str
    detail: str
    retry_after: int | None = None
