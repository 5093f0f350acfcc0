"""All knowledge in short, as files that a pharmacist can read in a difference: what the real readers make of each word."""
