// Whether this page's socket to the server is alive: asked of Reflex, and mended sooner than Reflex would.

import { useSyncExternalStore } from "react";
import { Manager } from "socket.io-client";
import { eventLoop } from "$/utils/context-registry";

const ASK_EVERY_MS = 250;

// A hung attempt holds back the next one; socket.io's own limit is 20 s.
const ATTEMPT_MS = 6_000;

const open = Manager.prototype.open;
Manager.prototype.open = function openWithin(done) {
  this.timeout(ATTEMPT_MS);
  return open.call(this, done);
};

let alive = null;
let timer;
const listeners = new Set();

// Reflex drops a temporal event while its socket is down, and answers a kept one with a promise.
const isAlive = () => eventLoop.addEvents([], [], { temporal: true }) !== undefined;

// Reflex connects before it queues anything that is not temporal.
const reconnect = () => eventLoop.addEvents([]);

function check() {
  const now = isAlive();
  if (now === alive) return;
  alive = now;
  for (const listener of [...listeners]) listener();
}

function wake() {
  if (document.visibilityState === "visible") reconnect();
  check();
}

function start() {
  timer = setInterval(check, ASK_EVERY_MS);
  addEventListener("online", wake);
  addEventListener("offline", check);
  document.addEventListener("visibilitychange", wake);
}

function stop() {
  clearInterval(timer);
  removeEventListener("online", wake);
  removeEventListener("offline", check);
  document.removeEventListener("visibilitychange", wake);
}

function subscribe(listener) {
  if (listeners.size === 0) start();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop();
  };
}

/**
 * Whether the socket is connected; null until it was asked for the first time. A network that
 * swallows everything shows after the server's ping interval + timeout.
 * @returns {?boolean}
 */
export function useConnected() {
  return useSyncExternalStore(
    subscribe,
    () => alive,
    () => null,
  );
}
