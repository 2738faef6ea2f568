// Shows how many messages are unread on the page's icon.

import { useEffect } from "react";

const SIZE = 64;

/**
 * @param {{count: number}} props
 */
export function UnreadIcon({ count }) {
  useEffect(() => markIcon(count), [count]);
  return null;
}

function markIcon(count) {
  const link = document.querySelector("link[rel~=icon]");
  if (!link || count === 0) return undefined;
  const { href, type } = link;
  let current = true;
  const image = new Image(SIZE, SIZE);
  image.onload = () => {
    if (!current) return;
    link.href = badged(image, shortened(count));
    link.type = "image/png";
  };
  image.src = href;
  return () => {
    current = false;
    link.href = href;
    link.type = type;
  };
}

function badged(image, words) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const paint = canvas.getContext("2d");
  paint.drawImage(image, 0, 0, SIZE, SIZE);
  paint.fillStyle = "#b91c1c";
  paint.beginPath();
  paint.roundRect(SIZE - 16 - 14 * words.length, 24, 16 + 14 * words.length, 40, 20);
  paint.fill();
  paint.fillStyle = "#ffffff";
  paint.font = "bold 32px system-ui, sans-serif";
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText(words, SIZE - 8 - 7 * words.length, 45);
  return canvas.toDataURL("image/png");
}

function shortened(count) {
  return count > 9 ? "9+" : String(count);
}
