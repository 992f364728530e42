"""What the portal is held to. `make test` runs one case of each kind, `make thorough` every case there is."""

import os

THOROUGH = os.environ.get("TESTS") == "thorough"
