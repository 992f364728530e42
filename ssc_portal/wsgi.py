"""Entry point of web servers."""

import os

from django.core.wsgi import get_wsgi_application

from ground.database import refuse_pooler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
application = get_wsgi_application()

refuse_pooler()  # the server then ends with this sentence, instead of answering nothing
