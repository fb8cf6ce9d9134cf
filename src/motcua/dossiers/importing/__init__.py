"""Taking over what another system recorded: CSV, XLSX, Parquet, XES; whole dossiers, nothing twice."""
