// What a State knew stays on the page while a server that was started again knows nothing yet.

import { useContext, useState } from "react";
import { StateStoreContext } from "$/utils/context-registry";

/**
 * @param {object} props
 * @param {string} props.state its name; its `phase` is "loading" until it knows something
 * @param {React.ReactNode} props.children what is painted of it
 */
export function Still({ state, children }) {
  const store = useContext(StateStoreContext);
  const [still] = useState(() => keeping(store, state));
  return <StateStoreContext value={still}>{children}</StateStoreContext>;
}

function keeping(store, state) {
  let known;
  const getSnapshot = (name) => {
    const now = store.getSnapshot(name);
    if (name !== state) return now;
    if (now.phase_rx_state_ !== "loading") known = now;
    return known ?? now;
  };
  return { ...store, getSnapshot };
}
