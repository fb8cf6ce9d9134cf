"""The inspectors' console: the bridge, lists, findings, one dossier, agencies."""
