//! The embedded runtime: QuickJS under a layer that scripts take for Node.
