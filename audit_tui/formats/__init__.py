"""Audit log formats: one small module each, that detects its records and maps them to events.

How to add a format:

1. Write ``audit_tui/formats/NAME.py``. It ends with the format::

       EXAMPLE = Format("example", "Example Cloud", frozenset({Shape.JSON}), _detect, _map,
                        marks=frozenset({"eventKind"}))

   ``record.Format`` says what each part must do. ``values`` has paths, texts for columns, outcomes,
   severities and keys; ``times.parse_time`` reads times, ``addresses.source_address`` addresses,
   ``sentences`` tells acts; ``loose`` reads keys in any spelling (``callerIp``, ``caller_ip``), ``narrating``
   tells acts by patterns and dotted names. Reading files, JSON, CSV and wrappers is done before ``_detect``
   is asked: a module sees one record as a dict. Set ``split`` where a record tells several events,
   ``lines`` where the log is text of its own kind.
2. Add one line to ``registry.BUILT_IN``, where the order of detection wants it (the most telling first).
3. Put a small hand-written log and the events expected of it beside the others in ``tests/formats/fixtures``.

Wrappers (a list under ``Records``, ``_source`` of Elasticsearch, JSON in a CSV cell) are peeled in
``wrappers``, before and after detection: where the record as it stands is of no known format, what it wraps
is tried, and what stood around that is kept in the metadata under the wrapper's name.

Another package adds a format through the entry-point group ``audit_tui.formats``: the entry's name is the
format's, its object a ``Format``.
"""
