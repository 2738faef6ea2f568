import { useEffect, useRef } from "react";

/** A notice that takes the focus when it appears: it is what one hears first, wherever one was. */
export function Notice({ look = "", role, children }) {
  const notice = useRef(null);
  useEffect(() => notice.current.focus(), []);
  return (
    <p ref={notice} className={`notice ${look}`} role={role} tabIndex={-1}>
      {children}
    </p>
  );
}
