// Passkeys: offered only where the browser knows them.
"use strict";
