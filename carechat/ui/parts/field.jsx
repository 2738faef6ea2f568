import { useId, useState } from "react";

const encoder = new TextEncoder();

// bcrypt takes bytes, so bytes are counted: an accent or an emoji is more than one.
function complaint(password, chosen) {
  const size = encoder.encode(password).length;
  if (!chosen || !size) return "";
  if (size < 8) return "Please use at least 8 characters.";
  return size > 72 ? "That is longer than we can keep. Please use at most 72 characters." : "";
}

/** A password that can be shown; with `chosen` it is a new one and its length is judged. */
export function PasswordField({ label, name, autoComplete, hint, chosen = false, fault = "" }) {
  const [shown, setShown] = useState(false);
  const id = useId();
  const judge = (event) => event.target.setCustomValidity(complaint(event.target.value, chosen));
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-row">
        <input
          id={id}
          name={name}
          type={shown ? "text" : "password"}
          autoComplete={autoComplete}
          aria-invalid={fault !== ""}
          aria-describedby={[fault, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined}
          autoCapitalize="none"
          spellCheck={false}
          required
          onInput={judge}
        />
        <button type="button" className="reveal" onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Show"}
          <span className="visually-hidden"> password</span>
        </button>
      </div>
      {hint && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A text to take along: it has the focus and is selected, a button copies it. */
export function CopyField({ label, value }) {
  const [copied, setCopied] = useState("");
  const id = useId();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied("Copied");
    } catch {
      document.getElementById(id).select();
      setCopied("Press Ctrl+C (on a Mac ⌘C) to copy.");
    }
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-row">
        <input id={id} readOnly autoFocus value={value} onFocus={(event) => event.target.select()} />
        <button type="button" className="reveal" onClick={copy}>
          Copy
        </button>
      </div>
      <p className="hint" aria-live="polite">
        {copied}
      </p>
    </div>
  );
}
