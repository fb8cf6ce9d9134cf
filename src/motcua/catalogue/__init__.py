"""What there is: agencies, fields, procedures, internal processes and calendars."""
