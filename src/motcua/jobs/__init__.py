"""What `motcua work` does: jobs with a lease, a heartbeat and a next run."""
