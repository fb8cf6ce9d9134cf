from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "motcua.ledger"
    default_auto_field = "django.db.models.BigAutoField"
