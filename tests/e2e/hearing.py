"""What a screen reader would say by itself, without anybody moving about the page."""

from playwright.sync_api import Page

from tests.e2e import screens as on

LISTEN = """
(() => {
  const LIVE = "[aria-live], [role=log], [role=status], [role=alert]";
  const element = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  const isOff = (node) => element(node)?.closest("[aria-live]")?.ariaLive === "off";
  const regionOf = (node) => element(node)?.closest(LIVE);
  const words = (node) => {
    if (!node.isConnected || isOff(node)) return "";
    const copy = node.cloneNode(true);
    copy.querySelectorAll?.("[aria-live=off], [aria-hidden=true]").forEach((one) => one.remove());
    return copy.textContent;
  };
  const added = (node, region) => {
    if (region) return [words(node)];
    const alerts = [...(node.querySelectorAll?.("[role=alert]") ?? [])];
    if (node.matches?.("[role=alert]")) alerts.push(node);
    return alerts.map(words);
  };
  // A log tells what is added, not what is changed.
  const changed = (text, region) => (!region || region.role === "log" ? [] : [words(text)]);
  const hear = ({ type, target, addedNodes }) => {
    const region = regionOf(target);
    const found = type === "childList"
      ? [...addedNodes].flatMap((node) => added(node, region)) : changed(target, region);
    window.heard.push(...found.map((one) => one.trim()).filter(Boolean));
  };
  window.heard = [];
  new MutationObserver((records) => records.forEach(hear))
    .observe(document, { subtree: true, childList: true, characterData: true });
})()
"""
"""A live region that is in the page already tells what comes into it; an alert is heard anyway."""


def listen(page: Page) -> Page:
    """Listen on every page that this one opens from now on; returns it."""
    page.add_init_script(LISTEN)
    return page


def heard(page: Page) -> list[str]:
    """Return what was said since the page was loaded or since it was last forgotten."""
    return page.evaluate("heard")


def forget(page: Page) -> None:
    """Forget what was said so far."""
    page.evaluate("heard.length = 0")


def wait_for(page: Page, words: str, timeout: int = on.WAIT_MS) -> None:
    """Wait until something with these words was said."""
    script = "words => heard.some((said) => said.includes(words))"
    page.wait_for_function(script, arg=words, timeout=timeout)
