"""Settings, all from the environment (.env.example lists every key).

Production (`DJANGO_DEBUG=0`) refuses to start without a secret key and host names.
"""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import environ
import pghistory
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from ground import database
from ground.licences import OWN as OWN_LICENCE

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DJANGO_DEBUG", False)
SECRET_KEY = env.str("DJANGO_SECRET_KEY", "")
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
if DEBUG:
    SECRET_KEY = SECRET_KEY or "for-development-only-" + "0123456789" * 4
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["127.0.0.1", "localhost", "[::1]"]
elif len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "DJANGO_SECRET_KEY is missing or shorter than 50 characters. Set it to a long random value, for example from "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(64))', or set DJANGO_DEBUG=1 on your own machine."
    )
elif not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "DJANGO_ALLOWED_HOSTS is missing. Set it to the names of the site, such as ssc.example.org."
    )
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])

DATA_DIR = BASE_DIR / env.str("PORTAL_DATA_DIR", ".data")
EMBEDDED_DATABASE = DATA_DIR / "postgres"
MEDIA_ROOT = DATA_DIR / "media"
OPEN_DATA = DATA_DIR / "open"  # files for everybody, written each night

# --- applications and requests ---------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "ssc_portal.apps.PortalConfig",
    "ground",
    "partners",
    "projects",
    "outreach",
    "api",
    "pages",
    "desk",
    "ssc_portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "rules.apps.AutodiscoverRulesConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # before static files: in development those are not compressed beforehand
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ssc_portal.middleware.NotKept",  # outside of all that answer
    "ssc_portal.middleware.OtherOrigins",
    "ssc_portal.middleware.Guard",
    "ssc_portal.middleware.Conditional",  # inside of what adds headers: a 304 or 412 is another answer, and has them too
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "ssc_portal.middleware.LastSlash",
    "ssc_portal.middleware.PageRates",
    "ground.bodies.BodyLimits",  # before whatever reads forms
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "partners.sessions.SessionLimits",
    "partners.unsent.KeepsUnsent",
    "allauth.account.middleware.AccountMiddleware",
    "partners.accounts.SecondFactor",
    "ssc_portal.middleware.PersonalSettings",
    "pghistory.middleware.HistoryMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Queries and templates of each page, for who changes the code: never in production, nor where its package is not installed.
TOOLBAR = DEBUG and env.bool("DEBUG_TOOLBAR", False) and find_spec("debug_toolbar") is not None
if TOOLBAR:
    INSTALLED_APPS += ["debug_toolbar"]
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.middleware.gzip.GZipMiddleware") + 1, "debug_toolbar.middleware.DebugToolbarMiddleware"
    )
    INTERNAL_IPS = ["127.0.0.1", "::1"]
ROOT_URLCONF = "ssc_portal.urls"
WSGI_APPLICATION = "ssc_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ground.context.site",
            ],
            "builtins": ["ground.templatetags.portal"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- database --------------------------------------------------------------------------------------------------------
_database = env.db_url("DATABASE_URL") if env.str("DATABASE_URL", "") else database.embedded(EMBEDDED_DATABASE)
# A pooler such as PgBouncer gives each transaction another connection and takes no settings of a session: the role has them.
DATABASE_POOLER = env.bool("DATABASE_POOLER", False)
SESSION_SETTINGS = {  # of each connection to the database
    "statement_timeout": "60000",
    "join_collapse_limit": "5",  # planning all orders of many joins takes longer than running them as written
}
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),  # such as ?sslmode=require
            "pool": {"min_size": 1, "max_size": 20, "timeout": 10},
            **({} if DATABASE_POOLER else {"options": database.startup_options(SESSION_SETTINGS)}),
        },
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLER,  # they last longer than a transaction
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "partners.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",  # finds people by e-mail address and password
    "rules.permissions.ObjectPermissionBackend",  # answers what anybody may, also those not signed in
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "partners.passwords.EasyToGuess"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", not DEBUG)  # of UNEP's roles and national focal points
ACCOUNT_ADAPTER = "partners.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"signup": "partners.forms.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # and no page tells whether an address has an account
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # for what an open session alone must not do (partners/accounts.py)
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60  # seconds that a password or a second factor counts for it
SESSION_IDLE = timedelta(days=env.int("SESSION_IDLE_DAYS", 14))  # without a request: signed out (partners/sessions)
SESSION_COOKIE_AGE = int(SESSION_IDLE.total_seconds())
STAFF_SESSION_IDLE = timedelta(hours=env.int("STAFF_SESSION_IDLE_HOURS", 2))  # of UNEP's roles
STAFF_SESSION = timedelta(hours=env.int("STAFF_SESSION_HOURS", 12))  # then they sign in anew, whatever they do
ACCOUNT_RATE_LIMITS = {  # an office of a hundred people behind one address gets through, a guesser does not
    "login": "120/m/ip",
    "login_failed": "100/h/ip,5/5m/key",
    "login_failed_anywhere": "30/h/key",  # for an account from all addresses together (partners/guessing)
    "signup": "60/h/ip",
    "reset_password": "60/h/ip,3/10m/key",
    "contact": "30/h/ip,5/h/key",  # messages to the desks (pages/outreach/contact.py)
    "subscribe": "60/h/ip,5/h/key",  # mail that confirms or reminds (pages/outreach/subscribe.py)
    "unsent": "200/h/ip",  # forms that are kept while their sender signs in (partners/unsent)
}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("DJANGO_BEHIND_PROXY", False) else 0
MFA_ADAPTER = "partners.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "partners.passkeys.AddPasskey",
    "signup_webauthn": "partners.passkeys.SignUpWithPasskey",
    "authenticate_webauthn": "partners.passkeys.AuthenticateWithPasskey",
    "login_webauthn": "partners.passkeys.LoginWithPasskey",
    "reauthenticate_webauthn": "partners.passkeys.ReauthenticateWithPasskey",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_TOTP_ISSUER = "South-South cooperation portal"
LOGOUT_REDIRECT_URL = "home"

# Every insert, update and delete of a domain row is kept by triggers, also those of bulk edits and raw SQL.
# Triggers are installed after migrations as the models declare them. Each as a step of a migration took 20 s in all.
PGTRIGGER_MIGRATIONS = False
PGTRIGGER_INSTALL_ON_MIGRATE = True
# Of a record in which nothing but the time of its saving is another, nothing has changed.
CHANGED = pghistory.AnyChange(exclude_auto=True)
PGHISTORY_DEFAULT_TRACKERS = (
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=CHANGED),
    pghistory.DeleteEvent(),
)
PGHISTORY_OBJ_FIELD = pghistory.ObjForeignKey(related_name="history")
PGHISTORY_APPEND_ONLY = True
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
PGHISTORY_ADMIN_ALL_EVENTS = False

# --- languages: the six of the United Nations, in the order of the bar ------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("ar", "العربية"),
    ("zh-hans", "中文"),
    ("en", "English"),
    ("fr", "Français"),
    ("ru", "Русский"),
    ("es", "Español"),
]
REVIEWED_LANGUAGES = ["en"]  # pages and mail in the others say that no translator has checked the portal's own words
LOCALE_PATHS = [BASE_DIR / "ssc_portal" / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
DESK_TIME_ZONE = env.str("DESK_TIME_ZONE", "Africa/Nairobi")  # where deadlines are counted
DESK_HOLIDAYS = env.list("DESK_HOLIDAYS", default=[])  # days such as 2026-12-25, left out of working days

# --- files -----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_MAX_AGE = 60  # of files without a hash in their name, as in development
STORAGES = {
    "default": {"BACKEND": "ground.storage.Media"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640
UPLOAD_SCANNER = env.str("UPLOAD_SCANNER", "")  # a command that reads an uploaded file and ends with 0 when it is clean
DATA_UPLOAD_MAX_MEMORY_SIZE = 2621440  # bytes of a form or a JSON body; who sends more, with files: ssc_portal/bodies
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000  # one project with many contributions, results and countries

# --- safety ----------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # data: for the small pictures inside admin's and the API page's style sheets
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("DJANGO_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    if env.bool("DJANGO_BEHIND_PROXY", False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "ground.error_pages.form_expired"

# How many calls one address may make, over all processes (partners/callers): far more than a person makes, or an office
# behind one address. Empty: no limit. On one's own machine, where pages are tried by programs, twenty times as many.
_MORE = 20 if DEBUG else 1
RATES = {
    "page": env.str("PAGE_RATE", f"{1200 * _MORE}/min"),
    "search": env.str("SEARCH_RATE", f"{300 * _MORE}/min"),
    "file": env.str("FILE_RATE", f"{120 * _MORE}/min"),  # pictures and exports, made for each call
    "pdf": env.str("PDF_RATE", f"{60 * _MORE}/min"),
    "api": env.str("API_RATE", f"{1200 * _MORE}/min"),  # of one person or address
}

# --- webhooks --------------------------------------------------------------------------------------------------------
WEBHOOKS_TO_PRIVATE = env.bool(
    "WEBHOOKS_TO_PRIVATE", False
)  # also to http:// and private networks: for trying, never in production

# --- mail, cache, log ------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "South-South cooperation portal <portal@example.org>")
SECURITY_CONTACT = env.str("SECURITY_CONTACT", "security@example.org")  # told in security.txt
PORTAL_URL = env.str("PORTAL_URL", "http://127.0.0.1:8000").rstrip("/")  # for links in mail
MAIL = env.email_url("EMAIL_URL", default=f"filemail:///{DATA_DIR / 'mail'}" if DEBUG else "smtp://127.0.0.1:25")
if MAIL["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    MAIL["EMAIL_BACKEND"] = "ground.smtp.Backend"  # the same, with a moment to write down that a message is sent
vars().update(MAIL)
EMAIL_TIMEOUT = 30  # seconds that a mail server may take to answer
CACHES = {
    # Counts of attempts to sign in are shared by all processes; a restart does not forget them.
    # Room enough: with Django's 300 rows a guesser could fill the table, and so have the counts forgotten.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    "pictures": {  # drawn once for all processes (outreach/seeing, outreach/sharing)
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_pictures",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
    "local": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache"
    },  # of one process: counts of API calls, facets
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"without_letters": {"()": "ground.logs.WithoutLetters"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_letters"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.base.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.base.ReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.base.Parser"],
    "DEFAULT_PAGINATION_CLASS": "api.base.LinkedPages",
    "DEFAULT_FILTER_BACKENDS": ["api.base.StrictFilters"],
    "DEFAULT_SCHEMA_CLASS": "api.description.DescribedOperations",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.base.Negotiation",
    "EXCEPTION_HANDLER": "api.base.problem",
    "NON_FIELD_ERRORS_KEY": "__all__",  # as the rules of records name what is wrong at no single field
    "DEFAULT_THROTTLE_CLASSES": ["api.base.ToldRate"],
    "NUM_PROXIES": 1 if env.bool("DJANGO_BEHIND_PROXY", False) else 0,
    "URL_FORMAT_OVERRIDE": "format",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "South-South cooperation on the environment",
    "DESCRIPTION": "Countries, partners, vocabularies, needs, offers and projects of South-South cooperation on the environment. "
    "Everything published is open to read; lists take the same filters as the pages. Needs, offers, responses and projects are also "
    "written here, by people who are signed in, with the rules and refusals of the pages. The licence below is that of what was "
    "entered here; `provenance` of a record names its own source and licence.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": OWN_LICENCE.short, "url": OWN_LICENCE.url},
    "CONTACT": {"name": "South-South cooperation portal", "email": "portal@example.org"},
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.description.optional_parts",
        "api.description.what_is_sent",
        "api.examples.with_examples",
    ],
    "ENFORCE_NON_BLANK_FIELDS": True,
    "WEBHOOKS": ["api.webhooks.changed"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {  # names of the sets of choices that several fields share, or that share a field's name
        "DeliveryLevelEnum": "projects.choices.DeliveryLevel",
        "NeedKindEnum": "projects.choices.NeedKind",
        "NeedStateEnum": "projects.choices.NeedState",
        "OfferKindEnum": "projects.choices.OfferKind",
        "OfferStateEnum": "projects.choices.OfferState",
        "StatusEnum": "projects.choices.Status",
        "BudgetStatusEnum": "projects.choices.BudgetStatus",
        "ContributionKindEnum": "projects.choices.ContributionKind",
        "SideEnum": "projects.choices.Side",
        "ResponseStateEnum": "projects.choices.ResponseState",
        "PartnerKindEnum": "partners.choices.PartnerKind",
        "ResultKindEnum": "projects.choices.ResultKind",
        "BudgetKindEnum": "projects.choices.BudgetKind",
        "TransactionKindEnum": "projects.choices.TransactionKind",
        "CountryRoleEnum": "projects.choices.CountryRole",
        "OrganisationRoleEnum": "projects.choices.OrganisationRole",
    },
}
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_CONFIRM = False
SILENCED_SYSTEM_CHECKS: list[str] = []
SITE_NAME = _("South-South cooperation on the environment")
