import { useEffect, useSyncExternalStore } from "react";
import { useLocation } from "react-router";
import { Notice } from "$/public/external/carechat/ui/parts/notice/notice.jsx";

const nothing = () => () => {};

// The page is prerendered without a query, so the query counts only after hydration.
function useQuery(name) {
  useLocation();
  const search = useSyncExternalStore(nothing, () => window.location.search, () => "");
  return new URLSearchParams(search).get(name) ?? "";
}

/** Whose conversation the address of a chat page names: it changes with a click, the server's answer comes later. */
export const usePartner = () => useQuery("email").trim().toLowerCase();

/** What is known of the partner with that e-mail, while the address names nobody else. */
export function OfPartner({ email, otherwise = null, children }) {
  return usePartner() === email ? children : otherwise && <span className="visually-hidden">{otherwise}</span>;
}

/** What the address says went wrong, in words; `calm` are the reasons that are nobody's mistake. */
export function QueryNotice({ texts, calm = [] }) {
  const reason = useQuery("error");
  const text = Object.hasOwn(texts, reason) ? texts[reason] : reason && texts.other;
  useTitled(text);
  if (!text) return null;
  const isCalm = calm.includes(reason);
  return (
    <Notice key={text} look={isCalm ? "" : "danger"} role={isCalm ? "note" : "alert"}>
      {text}
    </Notice>
  );
}

/** The title is what is heard first of a page. */
function useTitled(text) {
  useEffect(() => {
    if (!text) return undefined;
    const { title } = document;
    const titled = `${text} · ${title}`;
    document.title = titled;
    return () => {
      if (document.title === titled) document.title = title;
    };
  }, [text]);
}

const isLocal = (path) => /^\/(?![/\\])/.test(path);

/** The page to come back to, as a hidden field: a path of this site or nothing. */
export function NextField() {
  const next = useQuery("next");
  return <input type="hidden" name="next" value={isLocal(next) ? next : ""} readOnly />;
}

/** One part of the address as a hidden field. */
export function QueryField({ name }) {
  return <input type="hidden" name={name} value={useQuery(name)} readOnly />;
}
