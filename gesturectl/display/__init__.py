"""A small panel over all windows that says what gesturectl sees and does, and lets clicks through.

`seeing` says what is shown, `drawing` makes pictures of it, `spots` says where they go; all three
are pure. `x11` and `layers` put pictures on the screen, `face` joins them to the control socket.
"""
