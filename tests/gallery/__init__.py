"""Every page and dialog with sample data, as pictures to look at and as widgets to check.

`python -m tests.gallery [FOLDER]` draws them all, in both themes and three sizes.
"""
