"""An icon in the panel: what gesturectl is doing at a glance, and a menu to tell it what to do.

`status` says what is shown, `menu` which rows there are, `icons` draws; all three are pure.
"""
