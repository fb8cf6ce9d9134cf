from django.apps import AppConfig


class RoundsConfig(AppConfig):
    name = "motcua.rounds"
    default_auto_field = "django.db.models.BigAutoField"
