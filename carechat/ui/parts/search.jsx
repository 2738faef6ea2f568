// A field that finds: what is typed is looked for at once.

import { useEffect, useRef } from "react";

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.sought what the server looks for
 * @param {(words: string) => void} props.onSearch
 */
export function SearchField({ label, sought, onSearch }) {
  const field = useRef(null);
  const ask = useRef(onSearch);
  useEffect(() => {
    ask.current = onSearch;
  });
  // A server that was started again has forgotten it.
  useEffect(() => {
    if (sought === "" && field.current.value !== "") ask.current(field.current.value);
  }, [sought]);
  return (
    <input
      ref={field}
      type="search"
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      defaultValue={sought}
      onChange={(event) => onSearch(event.target.value)}
    />
  );
}
