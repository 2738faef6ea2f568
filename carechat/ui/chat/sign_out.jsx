// The form that signs out, after this browser has forgotten what was typed and not sent.

import * as outbox from "./outbox.js";

// A database that does not answer must not keep anybody signed in.
const LONGEST_MS = 1_000;

/**
 * @param {object} props
 * @param {string} props.account whose outbox and drafts are forgotten
 * @param {string} props.action where the form is posted to
 * @param {string} props.className
 * @param {React.ReactNode} props.children the submit button
 */
export function SignOutForm({ account, action, className, children }) {
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const late = new Promise((resolve) => setTimeout(resolve, LONGEST_MS));
    if (account) await Promise.race([outbox.forget(account), late]);
    form.submit();
  };
  return (
    <form method="post" action={action} className={className} onSubmit={onSubmit}>
      {children}
    </form>
  );
}
