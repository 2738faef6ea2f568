// Fetches the scripts of other pages while there is a connection, so that a tap needs none.

import { PrefetchPageLinks } from "react-router";

/**
 * @param {{pages: string[]}} props their addresses
 */
export function Ahead({ pages }) {
  return pages.map((page) => <PrefetchPageLinks key={page} page={page} />);
}
