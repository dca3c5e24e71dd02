"""Bytes, capture files and written notations to and from packets; knows neither policies nor grammar."""
