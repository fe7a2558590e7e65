"""The one SQLite file that the catalogue, the accounts and others share: how it is opened, migrated and written."""
