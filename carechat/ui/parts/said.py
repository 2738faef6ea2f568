"""Words that only a screen reader is given."""

from carechat.ui import beside

# Other components import it by its public path.
beside.script(__name__, "said.jsx")
