"""The panel of facets: the values of the events that are shown, with their numbers."""
