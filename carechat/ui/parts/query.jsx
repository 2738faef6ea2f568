import { useSyncExternalStore } from "react";
import { useLocation } from "react-router";

const nothing = () => () => {};

// The page is prerendered without a query, so the query counts only after hydration.
function useQuery(name) {
  useLocation();
  const search = useSyncExternalStore(nothing, () => window.location.search, () => "");
  return new URLSearchParams(search).get(name) ?? "";
}

/** What the address says went wrong, in words; `calm` are the reasons that are nobody's mistake. */
export function QueryNotice({ texts, calm = [] }) {
  const reason = useQuery("error");
  const text = Object.hasOwn(texts, reason) ? texts[reason] : reason && texts.other;
  if (!text) return null;
  return calm.includes(reason) ? (
    <p className="notice" role="note">
      {text}
    </p>
  ) : (
    <p className="notice danger" role="alert">
      {text}
    </p>
  );
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
