// Live updates, copy, keys, colour switch. Builds no markup from data. At most 6 KB.
"use strict";
