"""The playground of fwengine: `site/` is a folder for any web server. `fwengine play` serves it; there is nothing to import."""
