"""Settings of a Django project as `startproject` lays it out, less the web part that nobody visits.

What matters to a migration is kept at Django's defaults: the user model, its tables, and the
password hasher (PBKDF2 with SHA-256 and this version's iteration count).
"""

import os
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ["LEGACY_DATABASE_URL"])

# Signs cookies and reset links. This project serves neither.
SECRET_KEY = "an-example-that-serves-nothing"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "accounts",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database.hostname,
        "PORT": _database.port or 5432,
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
