"""Measurements. Importing this package sets Django up, so that its modules can import the portal."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ssc_portal.settings")
django.setup()
