"""An icon in the panel: what gesturectl is doing at a glance, and a menu to tell it what to do.

`status` says what is shown, `menu` which rows there are, `icons` draws; all three are pure. `sni`
and `dbusmenu` talk to panels on Linux, `systray` elsewhere. `face` joins them to the control
socket, `chores` and `terminal` do what the menu does beside the run. All of it runs in the
companion (see there). [docs/tray.md](../../docs/tray.md) is the page for users.
"""
