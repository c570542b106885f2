"""Audit log formats: how the records of each are recognised and become events.

How to add a format:

1. Write ``audit_tui/formats/vendors/ROOM/NAME.toml``: a mapping file, as users write them, with
   ``[[detect]]``::

       name = "doors"
       title = "Doors of Acme"

       [[detect]]              # one of several is enough; within one all must hold
       has = ["door", "at"]    # paths that lead to something; any = [...] asks for one of them
       is = { kind = ["open", "close"] }     # also begins = {...}, kind = { at = "number" }, without = [...]

       [columns]               # the first path that has a value; a dot goes into objects
       time = "at"
       event = "kind"
       user = "who.mail | who.badge"
       outcome = "code"

       [outcome]               # words and ranges; denied is a failure that was not allowed
       success = [0]
       failure = ["1-99"]

       [sentences]             # of events; each begins with its verb as it stands after "to"
       open = "open door {door}[ in {wing}| somewhere]"

   ``inside`` names an object in which most fields lie, ``split`` a list of events in one record, ``lists``
   lists of names and values, ``nobody`` users that are none, ``rank`` the order of detection (50 else).
2. Where data does not tell enough, put ``refine(telling)`` into ``NAME.py`` beside it: it may change what was
   read before it is told (``mapping.Telling``). Logs that are neither JSON nor CSV have ``begins = 'REGEX'``
   and ``records(text)`` there.
3. Put a small hand-written log and the events expected of it into ``tests/formats``.

Only Linux audit, Kubernetes, CloudTrail, Vault, Google Cloud and the journal are code (``registry.CODE``);
their words are tables in ``words``. What records come wrapped in is peeled in ``ingest.wrappers``.

Another package adds a format through the entry-point group ``audit_tui.formats``: the entry's name is the
format's, its object a ``record.Format``.
"""
