"""Every page and dialog with sample data, as pictures to look at and as widgets to check.

`python -m tests.gallery [FOLDER] [NAME]` draws them all, or some, in both themes and three sizes;
`--language de` has them speak German.
"""
