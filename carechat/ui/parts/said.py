"""Words that only a screen reader is given."""

import reflex as rx

# Other components import it by its public path.
rx.asset("said.jsx", shared=True)
