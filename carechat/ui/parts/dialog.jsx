import { useId, useRef } from "react";

/** A button and the dialog that it opens: the browser's own, so focus and Escape are its business. */
export function DialogButton({ label, title, onOpen, children }) {
  const dialog = useRef(null);
  const id = useId();
  const open = () => {
    dialog.current.showModal();
    onOpen?.();
  };
  return (
    <>
      <button type="button" className="button primary" aria-haspopup="dialog" onClick={open}>
        {label}
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby={id}>
        <h2 id={id}>{title}</h2>
        {children}
      </dialog>
    </>
  );
}
