// The address that was typed is there again after a refusal: the tab remembers it, once.

import { useEffect, useRef } from "react";

const KEY = "carechat-email";

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.name
 * @param {string[]} props.calm the reasons in the page's address that are no refusal
 */
export function EmailField({ label, name, calm }) {
  const field = useRef(null);
  useEffect(() => {
    const { current } = field;
    const reason = new URLSearchParams(location.search).get("error");
    const typed = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    if (typed && reason && !calm.includes(reason) && current.value === "") current.value = typed;
    const keep = () => sessionStorage.setItem(KEY, current.value);
    const { form } = current;
    form.addEventListener("submit", keep);
    return () => form.removeEventListener("submit", keep);
  }, [calm]);
  const id = `field-${name}`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        ref={field}
        id={id}
        name={name}
        type="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
    </div>
  );
}
