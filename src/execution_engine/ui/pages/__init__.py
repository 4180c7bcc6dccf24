"""The pages: each a widget made with the bridge, with a title, and what it has of the following methods.

shown(), hidden():  it came to the front, or left it
go_to(key):         show this row
focus_rows():       put the cursor into its rows
focus_filter():     put the cursor into its filter
refresh():          read again what is not told by itself
tick():             a second went by
set_narrow(narrow): the window is below 1200 px, or not any more

And of these signals:

notice(Notice):   say something in the corner
wanted(str, key): show another page, and a row there unless it is None
asked(str):       trigger an action of the frame: "test_alert", "paper", "resume"
show_group(int), show_alert(int): show it on its page
"""
