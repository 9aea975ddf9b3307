"""One module for each screen: it arranges widgets, and turns messages into what they show."""
