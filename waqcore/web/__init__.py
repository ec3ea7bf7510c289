"""What applications and people see: the HTTP API, the dashboard, and webhooks of payments."""
