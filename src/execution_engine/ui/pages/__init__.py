"""The pages: each a widget made with the bridge, with a title, and what it has of the following methods.

shown(), hidden():  it came to the front, or left it
go_to(key):         show this row
focus_filter():     put the cursor into its filter
refresh():          read again what is not told by itself
tick():             a second went by
set_narrow(narrow): the window is below 1200 px, or not any more
"""
