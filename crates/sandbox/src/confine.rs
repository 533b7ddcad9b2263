//! What a worker gives up before it reads a byte of a script.
