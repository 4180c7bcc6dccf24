"""What stands around the pages: menu, header, sidebar, status line, notices, questions, what is remembered."""
