"""What the portal is held to. `make test` runs one case of each kind, `make thorough` every case there is."""

import os

APPS = ("ground", "partners", "projects", "outreach", "api", "pages", "desk", "ssc_portal")  # and their folders
THOROUGH = os.environ.get("TESTS") == "thorough"
