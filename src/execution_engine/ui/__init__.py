"""The screen: Qt widgets over the rows that were released."""
