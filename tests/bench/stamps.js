// Notes in the page when each message passes by: ms since epoch, on the clock that pages share.

(() => {
  const MARK = /bench-\d{6}/;
  const now = () => performance.timeOrigin + performance.now();
  const stamps = {};
  const waiting = new Map();

  const note = (stage, text, at = now()) => {
    const id = MARK.exec(text)?.[0];
    if (id) (stamps[id] ??= {})[stage] ??= at;
    return id;
  };

  window.bench = {
    /** The moment at which the composer could be used and that many messages were there. */
    usable: null,
    /** When a message passed each stage in this page so far. */
    stamps: (id) => stamps[id],
    /** The same, once the message has been painted. */
    painted: (id) =>
      stamps[id]?.painted ? stamps[id] : new Promise((resolve) => waiting.set(id, resolve)),
  };

  addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter") note("pressed", event.target.value, performance.timeOrigin + event.timeStamp);
    },
    true,
  );

  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => note("received", data));
    }

    send(data) {
      note("sent", data);
      super.send(data);
    }
  };

  const afterPaint = (done) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(null);
    });

  const look = () => {
    const last = [...document.querySelectorAll("[data-seq]")].at(-1);
    if (!last) return;
    window.bench.usable ??= document.querySelector("textarea:enabled") && performance.now();
    const id = note("stood", last.textContent);
    if (!id || stamps[id].looked) return;
    stamps[id].looked = true;
    afterPaint(() => {
      note("painted", id);
      waiting.get(id)?.(stamps[id]);
    });
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
})();
