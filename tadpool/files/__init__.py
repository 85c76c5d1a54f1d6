"""What stands on disk: results written whole and checked, checksums, provenance, plug-ins found by
name."""
