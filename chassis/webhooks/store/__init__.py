"""Every statement of webhooks: subscriptions for the API, and leases, reading and recording for the sender."""
