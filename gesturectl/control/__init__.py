"""How other programs of the same user look at the running daemon, and tell it what to do.

    client ─┐  lines of JSON   ┌────────────┐   tickets   ┌──────────────┐
    client ─┼─────────────────▶│   server   │────────────▶│     desk     │ between two frames
    client ─┘◀─────────────────│ own thread │◀────────────│ frame thread │
                               └────────────┘ answers,    └──────────────┘
                                              what happened

`place`      where the daemon is found
`transport`  what carries bytes: `sockets`, or on Windows `pipes`, which `windows` makes; both see
             who may come in, and that there is one daemon
`wire`       what a line says
`server`     one thread that reads and writes for all; whoever is slow or hostile meets it alone
`desk`       the frame loop's side: it takes tickets between frames, and says what happened

The loop never waits for a client: between it and the server there are two queues, and appending to
a `deque` takes no lock. [docs/control.md](../../docs/control.md) tells the protocol.
"""
