"""What one caller may take of the service."""
