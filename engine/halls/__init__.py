"""Halls and their seating plans: read, checked, laid out for selling, and drawn."""
