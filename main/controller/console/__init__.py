"""The web console: pages for people, made from the same services as the API and behind the same guards."""
