import { memo, useEffect, useId, useLayoutEffect, useRef } from "react";
import { Link } from "react-router";
import { useOutbox } from "$/public/external/carechat/ui/chat/thread/hooks.js";
import { Time } from "$/public/external/carechat/ui/parts/clock/clock.jsx";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";
import { usePartner } from "$/public/external/carechat/ui/parts/query/query.jsx";
import { newestFirst, openFirst, unreadFirst, useCurrent, useRest } from "./order.js";

/** Whoever has begun to wait while the rows keep their places is one press away. */
function Newer({ count, onShow }) {
  if (count === 0) return null;
  return (
    <button type="button" className="button primary newer" onClick={onShow}>
      {count === 1 ? "1 more is waiting." : `${count} more are waiting.`} Show
    </button>
  );
}

/** The names that more than one of the rows has: only the address tells those people apart. */
function sharedNames(rows) {
  const names = rows.map((row) => row.name);
  return new Set(names.filter((name, place) => names.indexOf(name) !== place));
}

const SIGNS = { sent: ["✓", "Sent"], delivered: ["✓✓", "Delivered"], read: ["✓✓", "Read"] };

function Tick({ state }) {
  const [sign, word] = SIGNS[state];
  return (
    <span className={`tick ${state}`}>
      <span aria-hidden="true">{sign}</span>
      <span className="visually-hidden">{word}</span>
    </span>
  );
}

/** The way into a conversation: its word is what one sees, and its name says with whom. */
function Way({ look, row, nameId, children }) {
  const id = useId();
  return (
    <Link id={id} className={`button ${look}`} to={row.link} aria-labelledby={`${id} ${nameId}`}>
      {children}
    </Link>
  );
}

function Unread({ count }) {
  if (!count) return null;
  return (
    <span className="unread">
      {count > 99 ? "99+" : count}
      <span className="visually-hidden"> unread</span>
    </span>
  );
}

const Avatar = ({ initials }) => (
  <span className="avatar" aria-hidden="true">
    {initials}
  </span>
);

function Preview({ row }) {
  if (!row.preview) return "No messages yet";
  return (
    <>
      {row.state && <span className="you">You: </span>}
      <bdi>{row.preview}</bdi>
    </>
  );
}

function When({ row }) {
  if (!row.unread) return row.at > 0 && <Time at={row.at} />;
  return (
    <span>
      Waiting <Time at={row.since} kind="waiting" />
    </span>
  );
}

const Card = memo(function Card({ row, address }) {
  const id = useId();
  return (
    <article className={row.unread ? "card patient has-unread" : "card patient"} aria-labelledby={id}>
      <Avatar initials={row.initials} />
      <div className="names">
        <h2 id={id} dir="auto">
          {row.name}
        </h2>
        {address && <p className="address">{address}</p>}
      </div>
      <Unread count={row.unread} />
      <p className="preview">
        <Preview row={row} />
      </p>
      <p className="meta">
        <When row={row} />
        {row.state && <Tick state={row.state} />}
        {!row.writable && <span>Closed for new messages</span>}
      </p>
      <Way look={row.writable ? "go" : "quiet"} row={row} nameId={id}>
        {row.writable ? "Chat" : "Read"}
      </Way>
    </article>
  );
});

function useSeen(onSeen) {
  const place = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && onSeen(), {
      rootMargin: "400px",
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [onSeen]);
  return place;
}

function ShowMore({ onMore, onFocus, onBlur }) {
  return (
    <div className="more" ref={useSeen(onMore)} onFocus={onFocus} onBlur={onBlur}>
      <button type="button" className="button quiet" onClick={() => onMore()}>
        Show more
      </button>
    </div>
  );
}

/** The end of a `list` of which `count` are there. It leaves with whoever was at it, who goes on with what came. */
function More({ more, count, list, onMore }) {
  const from = useRef(null);
  const mark = (place) => () => {
    from.current = place;
  };
  useLayoutEffect(() => {
    const free = document.activeElement === document.body;
    if (from.current !== null && free) list.current.querySelectorAll("a")[from.current]?.focus();
    from.current = null;
  }, [list, count]);
  return more && <ShowMore key={count} onMore={onMore} onFocus={mark(count)} onBlur={mark(null)} />;
}

/** A doctor's patients. Cards keep their places while somebody is about to hit one. */
export function Cards({ onMore, ...known }) {
  const { rest, watched, place, show } = useRest();
  const [current, newer] = useCurrent(known, unreadFirst, rest);
  const shared = sharedNames(current);
  return (
    <div className="among" {...watched}>
      <Newer count={newer} onShow={show} />
      <div className="cards" ref={place} tabIndex={-1}>
        {current.map((row) => (
          <Card key={row.id} row={row} address={shared.has(row.name) && row.email} />
        ))}
      </div>
      <More more={known.more} count={known.rows.length} list={place} onMore={onMore} />
    </div>
  );
}

function Unsent({ count, one, many }) {
  return count > 0 && <p className="meta">{count === 1 ? `1 message ${one}` : `${count} messages ${many}`}</p>;
}

/** What the reader wrote there and the doctor does not have. */
function Waiting({ entries }) {
  const refused = entries.filter((entry) => entry.refused !== undefined).length;
  return (
    <>
      <Unsent count={entries.length - refused} one="is waiting to be sent." many="are waiting to be sent." />
      <Unsent count={refused} one="was not sent." many="were not sent." />
    </>
  );
}

function Banner({ row, waiting }) {
  const id = useId();
  return (
    <article className={row.present ? "card banner here" : "card banner"} aria-labelledby={id}>
      <h2>
        <span className="dot" aria-hidden="true" />
        {row.present ? "Your Doctor is Available" : "Your Doctor is Away"}
      </h2>
      <p className="who">
        <Avatar initials={row.initials} />
        <bdi id={id}>{row.name}</bdi>
        <Unread count={row.unread} />
      </p>
      <p>{row.present ? "Write now, your doctor is there." : "Write now, your doctor will see it when back."}</p>
      <Waiting entries={waiting} />
      <Way look="go" row={row} nameId={id}>
        Start Chat
      </Way>
    </article>
  );
}

function Former({ row, waiting }) {
  const id = useId();
  return (
    <article className="card banner" aria-labelledby={id}>
      <p className="who">
        <Avatar initials={row.initials} />
        <bdi id={id}>{row.name}</bdi>
        <Unread count={row.unread} />
      </p>
      <p>New messages are closed here. You can still read what was written.</p>
      <Waiting entries={waiting} />
      <Way look="quiet" row={row} nameId={id}>
        Read
      </Way>
    </article>
  );
}

/** Who comes or goes is said, as only the look of their banner tells it else. */
function usePresenceSaid(rows) {
  const [said, say] = useSaying();
  const before = useRef(new Map());
  useEffect(() => {
    const open = rows.filter((row) => row.writable);
    const changed = open.filter(({ id, present }) => before.current.get(id) === !present);
    before.current = new Map(open.map(({ id, present }) => [id, present]));
    const words = changed.map(({ name, present }) => `${name} is ${present ? "available" : "away"}.`);
    if (words.length > 0) say(words.join(" "));
  }, [rows, say]);
  return said;
}

/** A patient's doctors, in an order that does not change when somebody comes or goes. */
export function Banners({ account, more = false, onMore, ...known }) {
  const [current] = useCurrent(known, openFirst);
  const said = usePresenceSaid(current);
  const list = useRef(null);
  const [, entries] = useOutbox(account);
  return (
    <>
      <div ref={list} className="banners">
        {current.map((row) => {
          const Look = row.writable ? Banner : Former;
          const waiting = entries.filter((entry) => entry.conversation === row.id);
          return <Look key={row.id} row={row} waiting={waiting} />;
        })}
      </div>
      <More more={more} count={known.rows.length} list={list} onMore={onMore} />
      <Said said={said} />
    </>
  );
}

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

function moveFocus(event) {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const target = { Home: links[0], End: links.at(-1) }[event.key] ?? links[at + STEPS[event.key]];
  if (!target) return;
  event.preventDefault();
  target.focus();
}

// The focus is free for the composer then; a keyboard, which has no clicks to count, goes on from here.
const leaveByPointer = (event) => event.detail > 0 && event.currentTarget.blur();

/** The conversations beside the thread, newest first, resting as cards do; arrow keys move among them. */
export function List({ onMore, ...known }) {
  const { rest, watched, place, show } = useRest();
  const [current, newer] = useCurrent(known, newestFirst, rest);
  const shared = sharedNames(current);
  const open = usePartner();
  return (
    <nav className="conversations" aria-label="Conversations" {...watched}>
      <ul ref={place} tabIndex={-1} onKeyDown={moveFocus}>
        {current.map((row) => (
          <li key={row.id}>
            <Link
              to={row.link}
              aria-current={row.email === open ? "page" : undefined}
              onClick={row.email === open ? undefined : leaveByPointer}
            >
              <Avatar initials={row.initials} />
              <span className={row.unread ? "name bold" : "name"} dir="auto">
                {row.name}
              </span>
              <span className="meta">{row.at > 0 && <Time at={row.at} />}</span>
              {shared.has(row.name) && <span className="address">{row.email}</span>}
              <span className="preview">
                <Preview row={row} />
              </span>
              <Unread count={row.unread} />
            </Link>
          </li>
        ))}
      </ul>
      <More more={known.more} count={known.rows.length} list={place} onMore={onMore} />
      <Newer count={newer} onShow={show} />
    </nav>
  );
}
