"""Samples of requests and answers, made by asking the service itself."""
