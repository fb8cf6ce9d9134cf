from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "motcua.jobs"
    default_auto_field = "django.db.models.BigAutoField"
