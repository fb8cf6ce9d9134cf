from django.apps import AppConfig


class FindingsConfig(AppConfig):
    name = "motcua.findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What agencies were asked and did not answer becomes a fact of the checks."""
        from motcua.findings import overdue  # noqa: F401
