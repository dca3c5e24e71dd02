"""Bytes and capture files to and from packets; knows neither policies nor grammar."""
