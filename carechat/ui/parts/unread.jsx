// Tells how many messages are unread: on the page's icon, and in words when one has come.

import { useEffect, useRef } from "react";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";

const SIZE = 64;

// What is read at once, in the thread that is open, is no news.
const READ_WITHIN_MS = 1_500;

/**
 * @param {object} props
 * @param {number} props.count
 * @param {boolean} props.known whether the count has been loaded
 * @param {number} props.elsewhere how many of them are not in the open conversation, whose log tells of its own
 * @param {string} props.beside whose conversation that is, "" if none is open
 * @param {string} props.writer who wrote the last of those elsewhere, "" if that is not known
 */
export function UnreadIcon({ count, known, elsewhere, beside, writer }) {
  const [said, say] = useSaying();
  useEffect(() => markIcon(count), [count]);
  useEffect(() => () => void markIcon(0), []);
  useRise(known ? elsewhere : null, beside, (more) => {
    const news = more === 1 ? "New message" : `${more} new messages`;
    const from = writer && `${more === 1 ? "" : ", the last"} from ${writer}`;
    say(`${news}${from}. ${count} unread.`);
  });
  return <Said said={said} />;
}

/** Hears each rise that lasts; the first count is none. */
function useRise(count, beside, onRise) {
  const before = useRef(null);
  const place = useRef(beside);
  const latest = useRef(onRise);
  useEffect(() => {
    latest.current = onRise;
  });
  useEffect(() => {
    if (count === null) return undefined;
    if (place.current !== beside) before.current = null;
    place.current = beside;
    before.current = Math.min(count, before.current ?? count);
    const timer = setTimeout(() => {
      if (count > before.current) latest.current(count - before.current);
      before.current = count;
    }, READ_WITHIN_MS);
    return () => clearTimeout(timer);
  }, [count, beside]);
}

// Loaded once: a page would ask the server for it again with every change of the count.
let plain = null;

function plainIcon(href) {
  plain ??= new Promise((resolve) => {
    const image = new Image(SIZE, SIZE);
    image.onload = () => resolve(image);
    image.onerror = () => {
      plain = null;
      resolve(null);
    };
    image.src = href;
  });
  return plain;
}

/** Draws the number on the page's icon; without the picture the title tells it all the same. */
function markIcon(count) {
  const link = document.querySelector("link[rel~=icon]");
  if (!link || (count === 0 && plain === null)) return undefined;
  let current = true;
  plainIcon(link.href).then((image) => {
    if (!current || image === null) return;
    link.type = "image/png";
    link.href = drawn(image, count);
  });
  return () => {
    current = false;
  };
}

function drawn(image, count) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const paint = canvas.getContext("2d");
  paint.drawImage(image, 0, 0, SIZE, SIZE);
  if (count > 0) drawBadge(paint, shortened(count));
  return canvas.toDataURL("image/png");
}

function drawBadge(paint, words) {
  paint.fillStyle = "#b91c1c";
  paint.beginPath();
  paint.roundRect(SIZE - 16 - 14 * words.length, 24, 16 + 14 * words.length, 40, 20);
  paint.fill();
  paint.fillStyle = "#ffffff";
  paint.font = "bold 32px system-ui, sans-serif";
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText(words, SIZE - 8 - 7 * words.length, 45);
}

function shortened(count) {
  return count > 9 ? "9+" : String(count);
}
