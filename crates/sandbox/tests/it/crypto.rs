//! Hashes, derivations, ciphers and signatures against answers that somebody else computed.
