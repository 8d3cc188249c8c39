"""A service that shoots shots: uploads in, progress as it goes, films out. Brings `kinetoscope serve`."""
