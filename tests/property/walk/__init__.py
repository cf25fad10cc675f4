"""A walk at random through the calls of seats and orders, one at a time, beside a model that knows each answer.

Two performances with two categories, rows that mix them, access places and units that are released by and by, standing
areas, and allotments of staff, a partner and whoever has a code; visitors and customers, who wish for named seats, the
best in every way, and places, with codes and rules, exchange and extend them, pay and give some back; and plans that
change meanwhile. After every call the model, the index and the books agree; at the end the history is replayed, by
itself and by the auditor.

`rows`: what is free in a row. `hall`: a performance. `wishes`, `judge`: what is asked for, and what must be answered.
`caller`: the clock and the calls. `visitors`, `orders`, `house`: what they do. `walk`: one walk.
"""

from tests.property.walk.walk import Walk

__all__ = ["Walk"]
