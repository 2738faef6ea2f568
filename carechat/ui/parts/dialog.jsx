import { useId, useLayoutEffect, useRef } from "react";

/** The ref of a dialog that is open for as long as it is in the page. */
export function useModal() {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const node = dialog.current;
    node.showModal();
    // Closing it, while it is still in the page, gives the focus back.
    return () => node.close();
  }, []);
  return dialog;
}

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
